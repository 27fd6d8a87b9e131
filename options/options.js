import init, { start_options } from "../pkg/koct_extension.js";

await init();
await start_options();
