import { type Access, allows, isAddressAllowed } from '@kaccy/bitcoin/access'
import type { Clock, Logger } from '@kaccy/bitcoin/kernel'
import type { Client } from './client.ts'
import { CLOSE } from './policy.ts'

/** Open streams by their key, so that a key that ends or changes does so for them too. */
export class Keys {
  readonly #clients = new Map<string, Set<Client>>()
  readonly #access: Pick<Access, 'get'>
  readonly #clock: Clock
  readonly #logger: Logger

  constructor(access: Pick<Access, 'get'>, clock: Clock, logger: Logger) {
    this.#access = access
    this.#clock = clock
    this.#logger = logger
  }
  add(client: Client): void {
    if (client.key === undefined) return
    const own = this.#clients.get(client.key) ?? new Set()
    own.add(client)
    this.#clients.set(client.key, own)
  }
  remove(client: Client): void {
    const own = client.key === undefined ? undefined : this.#clients.get(client.key)
    own?.delete(client)
    if (client.key !== undefined && own?.size === 0) this.#clients.delete(client.key)
  }
  has(key: string): boolean {
    return this.#clients.has(key)
  }

  /** Looks at every key again. One that cannot be read now is looked at the next time; without the store nothing is sent either. */
  async recheckAll(): Promise<void> {
    for (const key of [...this.#clients.keys()])
      await this.recheck(key).catch((error: unknown) =>
        this.#logger.log('warn', 'the key of a stream could not be looked at', {
          key,
          reason: String(error),
        }),
      )
  }
  /** @throws EngineError when the store cannot be read */
  async recheck(key: string): Promise<void> {
    const record = await this.#access.get(key)
    for (const client of [...(this.#clients.get(key) ?? [])]) {
      const no = !record
        ? 'KEY_UNKNOWN'
        : record.revokedAt !== undefined
          ? 'KEY_REVOKED'
          : record.expiresAt !== undefined && record.expiresAt <= this.#clock.now()
            ? 'KEY_EXPIRED'
            : !isAddressAllowed(record, client.address)
              ? 'KEY_ADDRESS_FORBIDDEN'
              : allows(record, 'events:read')
                ? undefined
                : 'SCOPE_MISSING'
      if (no !== undefined) client.cut(CLOSE.key, no)
      else if (record)
        client.grant = {
          scopes: record.scopes,
          ...(record.wallets === undefined ? {} : { wallets: record.wallets }),
        }
    }
  }
}
