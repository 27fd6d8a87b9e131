import init, { start_popup } from "../pkg/koct_extension.js";

await init();
await start_popup();
