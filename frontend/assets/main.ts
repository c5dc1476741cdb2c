// Everything here only makes quicker what links and forms do without it.
import { showWhereOneIs } from "./bar";
import { composeQuietly } from "./composing";
import { closeMenus, openDialogs } from "./dialogs";
import { guardForms } from "./guard";
import { startHtmx } from "./fragments";
import { forgetNotice } from "./notice";
import { dragCards } from "./pipeline";
import { showProblems } from "./problems";
import { suggest } from "./suggest";

showWhereOneIs();
composeQuietly();
startHtmx();
guardForms();
openDialogs();
closeMenus();
forgetNotice();
showProblems();
suggest();
dragCards();
