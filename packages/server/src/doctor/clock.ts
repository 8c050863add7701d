import { type Finding, fine, warning, wrong } from './finding.ts'

/** Receivers of webhooks refuse what is signed five minutes beside their clock. */
const TOO_FAR_MS = 5 * 60 * 1000
const NOTABLE_MS = 10 * 1000
/** A miner's clock may run two hours ahead; a block from further ahead than this says that ours is behind. */
const MINERS_MS = 3 * 60 * 60 * 1000

export interface OtherClocks {
  /** Milliseconds since the epoch, as the node's answer says it; undefined when it does not. */
  readonly theirs?: number | undefined
  /** Seconds since the epoch, as the newest block says it. */
  readonly tipTime?: number | undefined
}

/** This machine's clock against another machine's, and against the newest block. @param whose the other machine */
export function examineClock(
  whose: string,
  now: number,
  { theirs, tipTime }: OtherClocks,
): Finding {
  const says = new Date(now).toISOString()
  const todo = 'let both machines set their clocks by NTP (timedatectl set-ntp true)'
  if (theirs !== undefined) {
    const apart = Math.abs(now - theirs)
    const seconds = Math.round(apart / 1000)
    const side = now < theirs ? 'behind' : 'ahead of'
    if (apart >= TOO_FAR_MS) return wrong('clock', `${says}, ${seconds} s ${side} ${whose}`, todo)
    if (apart >= NOTABLE_MS) return warning('clock', `${says}, ${seconds} s ${side} ${whose}`, todo)
  }
  if (tipTime !== undefined && tipTime * 1000 - now >= MINERS_MS)
    return wrong('clock', `${says}, hours behind the newest block`, todo)
  return fine('clock', theirs === undefined ? says : `${says}, as ${whose} has it`)
}
