import init, { start_popup } from "../pkg/koct_extension.js";

await init();
await start_popup(() => import("../pkg/koct_borrowers_module.js"));
