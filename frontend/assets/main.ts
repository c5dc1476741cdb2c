// Everything here only makes quicker what links and forms do without it.
import { composeQuietly } from "./composing";
import { openDialogs } from "./dialogs";
import { guardForms } from "./guard";
import { startHtmx } from "./fragments";
import { showProblems } from "./problems";
import { suggest } from "./suggest";

composeQuietly();
startHtmx();
guardForms();
openDialogs();
showProblems();
suggest();
