import { EngineError } from '@kaccy/bitcoin/kernel'

/** Who may show the page in a frame: nobody, anybody, or pages of these origins beside our own. */
export type Frames = 'none' | 'any' | readonly string[]

/** Scheme, host and port as browsers write them; nothing that could end a header's directive. */
const ORIGIN = /^https?:\/\/(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/

const isOrigin = (text: string): boolean => {
  if (!ORIGIN.test(text)) return false
  const url = URL.parse(text)
  return url !== null && url.origin === text
}

/** @throws EngineError CONFIG_VALUE_INVALID for what is no origin */
export function checkFrames(frames: Frames): Frames {
  if (typeof frames === 'string') return frames
  const wrong = frames.find((origin) => !isOrigin(origin))
  if (wrong === undefined) return frames
  throw new EngineError(
    'CONFIG_VALUE_INVALID',
    `checkout.frame_ancestors: ${wrong.slice(0, 100)} is no origin of the form https://shop.example`,
    { details: { param: 'frame_ancestors' } },
  )
}

/** For `frame-ancestors`. Source: Content Security Policy 3. */
export const ancestorsOf = (frames: Frames): string => {
  if (frames === 'none') return "'none'"
  return frames === 'any' ? '*' : ["'self'", ...frames].join(' ')
}

/** The origin that the page may talk to around its frame: only one that may frame it. @param own the page's own origin */
export function parentOf(
  frames: Frames,
  claimed: string | undefined,
  own: string,
): string | undefined {
  if (claimed === undefined || frames === 'none' || !isOrigin(claimed)) return undefined
  if (frames === 'any' || claimed === own || frames.includes(claimed)) return claimed
  return undefined
}
