import init, { start_popup } from "../pkg/koct_extension.js";

await init({ module_or_path: early.module });
if (document.readyState === "loading") {
  await new Promise((parsed) => document.addEventListener("DOMContentLoaded", parsed, { once: true }));
}
await start_popup(early, () => import("../pkg/koct_borrowers_module.js"));
