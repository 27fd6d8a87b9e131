// The core, for the event page: loaded once, and only when it is needed.
let loading;

const load = async () => {
  const module = await import("../pkg/koct_extension.js");
  await module.default();
  return module;
};

// What could not be loaded once may be the next time.
export const core = () =>
  (loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  }));
