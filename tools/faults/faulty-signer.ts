import type { Signer, SigningAnswer } from '@kaccy/bitcoin/signing'

/** What goes wrong between us and a signer. `lost`: it signed, and nobody heard of it. */
export const SIGNER_FAULTS = [
  'timeout_before',
  'timeout_after',
  'not_ready',
  'garbage',
  'another',
  'slow',
] as const
export type SignerFault = (typeof SIGNER_FAULTS)[number]

/** A signer whose next answer can go wrong. What it signed once it has given away: `given` is what a thief of it would have. */
export class FaultySigner implements Signer {
  readonly name: string
  readonly given: Uint8Array[] = []
  readonly #signer: Signer
  next: SignerFault | undefined

  constructor(signer: Signer) {
    this.#signer = signer
    this.name = signer.name
  }
  async sign(request: Parameters<Signer['sign']>[0]): Promise<SigningAnswer> {
    const fault = this.next
    this.next = undefined
    if (fault === 'timeout_before') return { answer: 'unknown', reason: 'no answer' }
    if (fault === 'not_ready')
      return { answer: 'refused', code: 'SIGNER_NOT_READY', reason: 'busy', detail: 'busy' }
    const answer = await this.#signer.sign(request)
    if (answer.answer !== 'signed') return answer
    const [earlier] = this.given
    this.given.push(answer.bytes)
    if (fault === 'timeout_after') return { answer: 'unknown', reason: 'the answer was lost' }
    if (fault === 'garbage') return { answer: 'signed', bytes: answer.bytes.slice(0, -7) }
    if (fault === 'another' && earlier) return { answer: 'signed', bytes: earlier }
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, 20))
    return answer
  }
}
