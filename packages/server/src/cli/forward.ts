import { createHmac } from 'node:crypto'
import { EngineError, Secret } from '@kaccy/bitcoin/kernel'
import { signWebhook } from '@kaccy/bitcoin/webhooks'
import { pauseFor } from '../host/pause.ts'
import { VERSION } from '../version.ts'
import type { EventJson } from './client/answers.ts'

const TIMEOUT_MS = 10_000
const FIRST_PAUSE_MS = 500
/** What is read of an answer that is no success. */
const MOST_READ = 1_000

/**
 * The secret that forwarded events are signed with. It follows from server and key, so a handler that was set up once goes on
 * verifying, and it says nothing about the key.
 */
export const secretOf = (api: string, key: Secret<string>): Secret<string> => {
  const { origin } = new URL(api)
  const mac = createHmac('sha256', key.reveal()).update(`kaccy listen ${origin}`)
  return new Secret(`whsec_${mac.digest('base64')}`)
}

/** One attempt to hand an event over. */
export interface Attempt {
  /** From 1. */
  readonly number: number
  readonly isGood: boolean
  /** Of the answer; undefined when none came. */
  readonly status?: number
  /** What the handler said, or why there is no answer. */
  readonly reason?: string
  readonly durationMs: number
  readonly willRetryInMs?: number
}
export interface ForwarderOptions {
  readonly target: string
  readonly secret: Secret<string>
  /** Attempts after the first. */
  readonly retries: number
  readonly signal: AbortSignal
  readonly firstPauseMs?: number
}

/** Hands events to a handler as a webhook would: one after the other, signed, and again when it fails. */
export class Forwarder {
  readonly #options: ForwarderOptions
  #previous = 0

  /** @throws EngineError USAGE_INVALID for what is no address of a handler */
  constructor(options: ForwarderOptions) {
    const { target } = options
    if (!URL.canParse(target) || !/^https?:$/.test(new URL(target).protocol))
      throw new EngineError(
        'USAGE_INVALID',
        '--forward-to is no address such as http://127.0.0.1:3000/webhooks',
        {
          details: { param: '--forward-to' },
        },
      )
    this.#options = options
  }

  /**
   * Hands one event over; false when the handler took it in no attempt. The next one names it as its `previous_seq` in any
   * case: a handler that lost it can see that.
   */
  async forward(event: EventJson, onAttempt: (attempt: Attempt) => void): Promise<boolean> {
    const { retries, signal, firstPauseMs = FIRST_PAUSE_MS } = this.#options
    const { data, ...head } = event
    // The same text for every attempt.
    const body = JSON.stringify({ ...head, previous_seq: this.#previous, data })
    this.#previous = event.seq
    for (let number = 1; !signal.aborted; number++) {
      const made = await this.#send(event.id, body)
      const isLast = made.isGood || number > retries
      const willRetryInMs = firstPauseMs * 2 ** (number - 1)
      if (!signal.aborted) onAttempt({ number, ...made, ...(isLast ? {} : { willRetryInMs }) })
      if (isLast) return made.isGood
      await pauseFor(willRetryInMs, signal)
    }
    return false
  }

  async #send(id: string, body: string): Promise<Omit<Attempt, 'number' | 'willRetryInMs'>> {
    const { target, secret, signal } = this.#options
    const begun = performance.now()
    const durationMs = () => Math.round(performance.now() - begun)
    try {
      const answer = await fetch(target, {
        method: 'POST',
        headers: {
          ...signWebhook(id, Date.now(), body, [secret]),
          'content-type': 'application/json',
          'user-agent': `kaccy-listen/${VERSION}`,
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      const text = await beginningOf(answer)
      const { status } = answer
      const isGood = status >= 200 && status < 300
      return {
        isGood,
        status,
        durationMs: durationMs(),
        ...(isGood || text === '' ? {} : { reason: text }),
      }
    } catch (error) {
      return { isGood: false, reason: reasonOf(error), durationMs: durationMs() }
    }
  }
}

/** Reads no more than is shown: a handler may answer without end. */
async function beginningOf({ body }: Response): Promise<string> {
  let bytes = Buffer.alloc(0)
  for await (const piece of body ?? []) {
    bytes = Buffer.concat([bytes, piece])
    if (bytes.length >= MOST_READ) break
  }
  return bytes.subarray(0, MOST_READ).toString('utf8').trim()
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  const { code, message } = (cause instanceof Error ? cause : error) as NodeJS.ErrnoException
  return error.name === 'TimeoutError' ? `no answer in ${TIMEOUT_MS / 1000} s` : (code ?? message)
}
