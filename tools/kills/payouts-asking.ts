import type { Signer, SigningAnswer } from '@kaccy/bitcoin/signing'

/** The signers as a process sees them that asks over HTTP. */
export const signersAt = (url: string): readonly Signer[] =>
  [0, 1].map((who) => ({
    name: `key ${who + 1}`,
    sign: async ({ bytes }): Promise<SigningAnswer> => {
      try {
        const response = await fetch(`${url}/${who}`, { method: 'POST', body: bytes.slice() })
        if (!response.ok) return { answer: 'unknown', reason: `status ${response.status}` }
        return { answer: 'signed', bytes: new Uint8Array(await response.arrayBuffer()) }
      } catch (error) {
        return { answer: 'unknown', reason: String(error) }
      }
    },
  }))
