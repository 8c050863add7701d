import type { ReceivedEvent } from '@kaccy/bitcoin/webhooks'
import type { Purchase } from './purchases.ts'

/** The server, as far as this shop needs it. */
export class Kaccy {
  readonly #url: string
  readonly #key: string
  readonly #wallet: string

  constructor(url: string, key: string, wallet: string) {
    this.#url = url
    this.#key = key
    this.#wallet = wallet
  }

  /**
   * The order of a purchase. Asking again is safe: the key makes the server repeat its answer, and the external id gives the
   * same order even after the answer has been forgotten.
   */
  async orderFor({ id, product, amountSat }: Purchase): Promise<string> {
    const order = await this.#ask<{ id: string }>('/v1/orders', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': id },
      body: JSON.stringify({
        wallet: this.#wallet,
        amount_sat: amountSat,
        external_id: id,
        description: product,
        expires_in: 3600,
      }),
    })
    return order.id
  }
  async events(after: number, limit: number): Promise<readonly ReceivedEvent[]> {
    const query = new URLSearchParams({
      after: String(after),
      limit: String(limit),
      types: 'order.*',
    })
    return (await this.#ask<{ data: ReceivedEvent[] }>(`/v1/events?${query}`)).data
  }

  async #ask<T>(path: string, { headers, ...more }: RequestInit = {}): Promise<T> {
    const answer = await fetch(`${this.#url}${path}`, {
      ...more,
      headers: { ...headers, authorization: `Bearer ${this.#key}` },
      signal: AbortSignal.timeout(10_000),
    })
    if (answer.ok) return (await answer.json()) as T
    const { code, detail } = (await answer.json()) as { code: string; detail: string }
    throw new Error(`${path}: ${code}: ${detail}`)
  }
}
