import init, { start_popup } from "../pkg/koct_extension.js";
import { prefetch } from "../pkg/split.js";

// Read while the first module is compiled, and the other while it starts.
prefetch("log");
await init({ module_or_path: early.module });
prefetch("later");
if (document.readyState === "loading") {
  await new Promise((parsed) => document.addEventListener("DOMContentLoaded", parsed, { once: true }));
}
await start_popup(early, () => import("../pkg/koct_borrowers_module.js"));
