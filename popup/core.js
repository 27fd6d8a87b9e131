// The core, for the event page: loaded once, and only when it is needed.
let loading;

const load = async () => {
  const module = await import("../pkg/koct_extension.js");
  await module.default();
  return module;
};

export const core = () => (loading ??= load());
