/** Things that a developer should know and no caller waits for. */

/** What was said; the same is said once. */
const said = new Set()
/** Most texts that are remembered. */
const REMEMBERED = 1000

/**
 * A warning of the process, or of the browser's console, the first time.
 * @param {string} text
 */
export function warn(text) {
  if (said.has(text) || said.size >= REMEMBERED) {
    return
  }
  said.add(text)
  const { process } = /** @type {{ process?: { emitWarning?: (text: string, type: string) => void } }} */ (globalThis)
  if (process?.emitWarning) {
    process.emitWarning(text, 'EddylineWarning')
  } else {
    console.warn(`eddyline: ${text}`)
  }
}
