// A copy of the tree with what is built of its dependencies, in which tutorial and rehearsal build: made before them, while
// nothing else is built.

import { copyTarget, copyTree } from "./readme.js";

copyTree("clone");
copyTarget("clone");
