// Tests that drive the workbench from outside, as a person with a keyboard and eyes.
/** @returns {Promise<{passed: number, failed: number, skipped: number}>} */
export async function runOutside() {
  return { passed: 0, failed: 0, skipped: 0 };
}
