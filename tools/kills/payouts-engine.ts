import { createEngine, type Engine, type Store } from '@kaccy/bitcoin'
import {
  type BitcoindSource,
  createBitcoindBroadcaster,
  createBitcoindMempool,
} from '@kaccy/bitcoin/adapters/bitcoind'
import {
  assert,
  Secret,
  sat,
  satPerKvB,
  type WalletId,
  type WithdrawalId,
} from '@kaccy/bitcoin/kernel'
import { createReceiptKey, type Signer } from '@kaccy/bitcoin/signing'
import { seededEntropy } from '../scenarios/entropy.ts'
import {
  type FaultPoint,
  Faults,
  namedBroadcaster,
  namedSigner,
  namedStore,
} from './payouts-faults.ts'

export type PayoutTurn = 'plan' | 'sign' | 'send' | 'bump'
/** What a process that pays out is told to do. Time and randomness are in it. */
export type PayoutCommand = Readonly<{ now: number; seed: number }> &
  Readonly<
    | { do: 'look' | 'work' }
    | { do: 'register'; descriptor: string }
    | { do: 'turn'; turn: PayoutTurn }
    | { do: 'order'; externalId: string; amount: number }
    | { do: 'ask'; externalId: string; address: string; amount: number; maxRate?: number }
    | { do: 'bump'; externalId: string; rate: number }
    | { do: 'cancel' | 'approve' | 'reject'; externalId: string }
    | { do: 'arm'; points: readonly FaultPoint[] }
    | { do: 'tell' }
  >
/** What it says of it: the code of a refusal, or what it was asked for. */
export interface PayoutAnswer {
  readonly refused?: string
  readonly address?: string
  /** Every point that was passed so far. */
  readonly met?: readonly string[]
}

const TURNS = ['plan', 'sign', 'send', 'bump'] as const
const RECEIPT_KEY = createReceiptKey(new Secret(new Uint8Array(32).fill(7)))

export interface PayerParts {
  readonly store: Store
  readonly source: BitcoindSource
  readonly signers: readonly Signer[]
}

/** An engine that pays out as it is told, a step at a time. */
export class Payer {
  readonly #faults = new Faults()
  #engine: Engine | undefined
  #now = 0
  #entropy = seededEntropy(0)

  static async open({ store, source, signers }: PayerParts): Promise<Payer> {
    const payer = new Payer()
    const faults = payer.#faults
    const named = signers.map((signer) => namedSigner(signer, faults))
    payer.#engine = await createEngine({
      network: 'regtest',
      store: namedStore(store, faults),
      source,
      clock: { now: () => payer.#now },
      entropy: { bytes: (length) => payer.#entropy.bytes(length) },
      payouts: {
        broadcaster: namedBroadcaster(createBitcoindBroadcaster(source), faults),
        mempool: createBitcoindMempool(source),
        signersOf: () => named,
        receiptKey: RECEIPT_KEY,
        fixedFeeRate: satPerKvB(5_000n),
      },
    })
    return payer
  }
  get #open(): Engine {
    assert(this.#engine, 'not open')
    return this.#engine
  }

  async obey(command: PayoutCommand): Promise<PayoutAnswer> {
    this.#now = command.now
    this.#entropy = seededEntropy(command.seed)
    switch (command.do) {
      case 'look':
        await this.#open.sync()
        return {}
      case 'work':
        await this.#work()
        return {}
      case 'turn':
        await this.#open.payouts[command.turn]()
        return {}
      case 'arm':
        this.#faults.arm(command.points)
        return {}
      case 'tell':
        return { met: this.#faults.met }
      case 'register':
        return this.#register(command.descriptor)
      case 'order':
        return this.#order(command)
      case 'ask':
        return this.#ask(command)
      default:
        return this.#change(command)
    }
  }
  /** Turns until one does nothing. */
  async #work(): Promise<void> {
    for (let done = 1; done > 0; ) {
      done = 0
      for (const turn of TURNS) done += await this.#open.payouts[turn]()
    }
  }
  async #register(descriptor: string): Promise<PayoutAnswer> {
    const made = await this.#open.wallets.register(
      { name: 'payer', descriptor, lookahead: 60 },
      'operator:test',
    )
    return made.ok ? {} : { refused: made.error.code }
  }
  async #wallet(): Promise<WalletId> {
    const [wallet] = await this.#open.wallets.wallets()
    assert(wallet, 'no wallet')
    return wallet.id
  }
  async #order(command: Extract<PayoutCommand, { do: 'order' }>): Promise<PayoutAnswer> {
    const { externalId, amount } = command
    const input = { wallet: await this.#wallet(), externalId, amount: sat(BigInt(amount)) }
    const made = await this.#open.orders.create(input, 'operator:test')
    return made.ok ? { address: made.value.order.address } : { refused: made.error.code }
  }
  async #ask(command: Extract<PayoutCommand, { do: 'ask' }>): Promise<PayoutAnswer> {
    const { externalId, address, amount, maxRate } = command
    const made = await this.#open.withdrawals.request(
      {
        wallet: await this.#wallet(),
        externalId,
        address,
        amount: sat(BigInt(amount)),
        speed: { kind: 'priority', priority: 'high' },
        ...(maxRate === undefined ? {} : { maxRate: satPerKvB(BigInt(maxRate)) }),
      },
      'api:key_test',
    )
    return made.ok ? {} : { refused: made.error.code }
  }
  async #change(command: Extract<PayoutCommand, { externalId: string }>): Promise<PayoutAnswer> {
    const found = await this.#open.withdrawals.byExternalId(command.externalId)
    if (!found) return { refused: 'WITHDRAWAL_NOT_FOUND' }
    const made = await this.#decide(found.id, command)
    return made.ok ? {} : { refused: made.error.code }
  }
  #decide(id: WithdrawalId, command: PayoutCommand) {
    const { withdrawals } = this.#open
    const who = 'operator:test'
    if (command.do === 'approve') return withdrawals.approve(id, {}, who)
    if (command.do === 'reject') return withdrawals.reject(id, 'not wanted', who)
    if (command.do !== 'bump') return withdrawals.cancel(id, 'not wanted', who)
    const rate = satPerKvB(BigInt(command.rate))
    return withdrawals.bump(id, { speed: { kind: 'rate', rate } }, who)
  }
}
