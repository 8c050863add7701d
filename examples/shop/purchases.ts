import type { ReceivedEvent, WebhookInbox } from '@kaccy/bitcoin/webhooks'
import Database from 'better-sqlite3'

/** One purchase. Its id is ours, and also the `external_id` of the order at the server. */
export interface Purchase {
  readonly id: string
  readonly product: string
  readonly amountSat: number
  /** The order to pay; null until the server has answered. */
  readonly orderId: string | null
  /** `held`: the chain took back what had been paid. */
  readonly status: 'waiting' | 'paid' | 'held'
}

const TABLES = `
create table if not exists purchases (
  id text primary key,
  product text not null,
  amount_sat integer not null,
  order_id text,
  status text not null default 'waiting'
);
create table if not exists parcels (purchase text primary key references purchases (id), at text not null);
create table if not exists inbox (seq integer not null);
insert into inbox select 0 where not exists (select 1 from inbox);`

/** What the shop remembers. Everything is on disk when a method returns. */
export class Purchases {
  readonly #database: Database.Database

  constructor(file: string) {
    this.#database = new Database(file)
    this.#database.pragma('journal_mode = wal')
    this.#database.pragma('synchronous = full')
    this.#database.exec(TABLES)
  }

  add(id: string, product: string, amountSat: number): void {
    this.#database
      .prepare('insert into purchases (id, product, amount_sat) values (?, ?, ?)')
      .run(id, product, amountSat)
  }
  noteOrder(id: string, orderId: string): void {
    this.#database.prepare('update purchases set order_id = ? where id = ?').run(orderId, id)
  }
  find(id: string): Purchase | undefined {
    const columns = 'id, product, amount_sat as amountSat, order_id as orderId, status'
    return this.#database.prepare(`select ${columns} from purchases where id = ?`).get(id) as
      | Purchase
      | undefined
  }
  /** How many parcels were packed for a purchase: never more than one. */
  parcels(id: string): number {
    const row = this.#database
      .prepare('select count(*) as n from parcels where purchase = ?')
      .get(id) as { n: number }
    return row.n
  }

  /** Events and how far they were read move in one transaction: each event counts exactly once, whatever dies when. */
  readonly inbox: WebhookInbox = {
    cursor: async () => this.#cursor(),
    apply: async (events, after, upTo) =>
      this.#database
        .transaction(() => {
          if (this.#cursor() !== after) return false // another process was quicker
          for (const event of events) this.#handle(event)
          this.#database.prepare('update inbox set seq = ?').run(upTo)
          return true
        })
        .immediate(),
  }
  #cursor(): number {
    return (this.#database.prepare('select seq from inbox').get() as { seq: number }).seq
  }
  #handle({ type, at, data }: ReceivedEvent): void {
    const id = data['external_id']
    if (typeof id !== 'string' || !this.find(id)) return // an order that somebody else made
    const set = (status: Purchase['status'], from: Purchase['status']) =>
      this.#database
        .prepare('update purchases set status = ? where id = ? and status = ?')
        .run(status, id, from)
    if (type === 'order.full_confirmed') {
      set('paid', 'waiting')
      set('paid', 'held')
      this.#database.prepare('insert into parcels values (?, ?) on conflict do nothing').run(id, at)
    }
    // The chain took blocks back. If the order is not deep enough any more, somebody should stop the parcel.
    const isDeep = data['status'] === 'full_confirmed' || data['status'] === 'finalized'
    if (type === 'order.reorged' && !isDeep) set('held', 'paid')
  }

  close(): void {
    this.#database.close()
  }
}
