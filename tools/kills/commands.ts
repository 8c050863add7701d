import { createEngine, type Engine, type Store } from '@kaccy/bitcoin'
import type { ChainSource } from '@kaccy/bitcoin/chain'
import { EngineError, type OrderId, sat, type WalletId } from '@kaccy/bitcoin/kernel'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { seededEntropy } from '../scenarios/entropy.ts'

/** What the engine is told to do. Everything that could differ between two runs, time and randomness, is in it. */
export type Command = Readonly<{ now: number; seed: number }> &
  Readonly<
    | { do: 'register' }
    | { do: 'order'; externalId: string; amount: number; expiresInMs: number }
    | { do: 'look' }
    | { do: 'settle' | 'cancel'; externalId: string }
  >

const ACCOUNT = HDKey.fromMasterSeed(
  mnemonicToSeedSync('legal winner thank year wave sausage worth useful legal winner thank yellow'),
  { private: 0x04358394, public: 0x043587cf },
).derive("m/84'/1'/0'").publicExtendedKey

/** An engine that does as it is told: the same commands in a process that is killed, and in one that is not. */
export class Obedient {
  readonly #engine: Engine
  #now = 0
  #entropy = seededEntropy(0)

  private constructor(engine: Engine) {
    this.#engine = engine
  }
  static async open(store: Store, source: ChainSource): Promise<Obedient> {
    const box: { self: Obedient | undefined } = { self: undefined }
    const engine = await createEngine({
      network: 'regtest',
      store,
      source,
      clock: { now: () => (box.self ? box.self.#now : 0) },
      entropy: {
        bytes: (length) => (box.self ? box.self.#entropy : seededEntropy(7)).bytes(length),
      },
      blocksPerCommit: 3,
    })
    box.self = new Obedient(engine)
    return box.self
  }

  /** Doing a command again after it was done, or half done, changes nothing more. */
  async obey(command: Command): Promise<void> {
    this.#now = command.now
    this.#entropy = seededEntropy(command.seed)
    if (command.do === 'look') await this.#look()
    if (command.do === 'register') await this.#register()
    if (command.do === 'order') await this.#order(command)
    if (command.do === 'settle' || command.do === 'cancel')
      await this.#decide(command.do, command.externalId)
  }
  async #look(): Promise<void> {
    for (;;) {
      try {
        await this.#engine.sync()
        return
      } catch (error) {
        if (!(error instanceof EngineError && error.code === 'NODE_UNREACHABLE')) throw error
      }
    }
  }
  async #register(): Promise<void> {
    const input = { name: 'kills', xpub: ACCOUNT, scriptType: 'p2wpkh', lookahead: 60 } as const
    const registered = await this.#engine.wallets.register(input, 'operator:test')
    if (!registered.ok) throw new TypeError(registered.error.message)
  }
  async #wallet(): Promise<WalletId> {
    const [wallet] = await this.#engine.wallets.wallets()
    if (!wallet) throw new TypeError('no wallet')
    return wallet.id
  }
  async #order(command: Extract<Command, { do: 'order' }>): Promise<void> {
    const created = await this.#engine.orders.create(
      {
        wallet: await this.#wallet(),
        externalId: command.externalId,
        amount: sat(BigInt(command.amount)),
        expiresInMs: command.expiresInMs,
      },
      'operator:test',
    )
    if (!created.ok) throw new TypeError(created.error.message)
  }
  async #decide(what: 'settle' | 'cancel', externalId: string): Promise<void> {
    const { orders } = this.#engine
    const order = await orders.byExternalId(externalId)
    if (!order) return
    const id = order.id as OrderId
    if (what === 'settle') await orders.settle(id, 'test', 'by hand')
    else await orders.cancel(id, 'operator:test')
  }
}
