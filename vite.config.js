import { defineConfig } from "vite";

// Chromium 109 is the last one for Windows 7 and still common in offices: nesting, light-dark()
// and newer syntax are lowered to it, scripts and styles alike.
const OLDEST = "chrome109";

export default defineConfig({
  base: "/static/",
  publicDir: false,
  css: { transformer: "lightningcss", lightningcss: { targets: { chrome: 109 << 16 } } },
  build: {
    target: OLDEST,
    cssTarget: OLDEST,
    outDir: "frontend/static",
    emptyOutDir: true,
    assetsDir: "",
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the content security policy allows no data: URLs
    rolldownOptions: {
      input: ["frontend/assets/main.ts", "frontend/assets/main.css"],
      checks: { eval: false }, // htmx holds one; our policy forbids it and allowEval is off
    },
  },
});
