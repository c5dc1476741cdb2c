// An Elasticsearch node from its published artifacts.
// java -cp "classes:lib/*" Node HOME DATA NAME [setting=value ...]
// The ports that it found free stand in DATA/logs/http.ports.
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.plugins.PluginsLoader;

public class Node {
  public static void main(String[] arguments) throws Exception {
    Path home = Path.of(arguments[0]).toAbsolutePath();
    Path data = Path.of(arguments[1]).toAbsolutePath();
    String name = arguments[2];
    Settings.Builder settings = Settings.builder()
        .put("path.home", home)
        .put("path.data", data)
        .put("path.logs", Files.createDirectories(data.resolve("logs")))
        .put("cluster.name", "zhihe")
        .put("node.name", name)
        .put("node.portsfile", true)
        .put("network.host", "127.0.0.1");
    for (int i = 3; i < arguments.length; i++) {
      String[] pair = arguments[i].split("=", 2);
      if (pair[1].contains(",")) {
        settings.putList(pair[0], pair[1].split(","));
      } else {
        settings.put(pair[0], pair[1]);
      }
    }
    var environment = InternalSettingsPreparer.prepareEnvironment(
        settings.build(), Map.of(), home.resolve("config"), () -> name);
    LogConfigurator.configureWithoutConfig(Settings.EMPTY);
    var loader = PluginsLoader.createPluginsLoader(
        PluginsLoader.loadModulesBundles(environment.modulesDir()),
        PluginsLoader.loadPluginsBundles(environment.pluginsDir()),
        Map.of(),
        false); // the server runs from the class path, not as a Java module
    new org.elasticsearch.node.Node(environment, loader).start();
    Thread.currentThread().join();
  }
}
