import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'

export interface ShopOptions {
  /** Its own database. */
  readonly file: string
  readonly port: number
  readonly secret: string
  readonly api: string
  readonly token: string
}
export interface Books {
  readonly cursor: number
  /** Numbers of the events, in the order in which they were counted. */
  readonly seqs: readonly number[]
  /** Satoshi credited, by order. */
  readonly credited: Readonly<Record<string, number>>
}

/** The receiver as a process that is started, killed and started again. */
export class Shop {
  readonly #options: ShopOptions
  #child: ReturnType<typeof spawn> | undefined
  constructor(options: ShopOptions) {
    this.#options = options
  }
  async start(seed: number): Promise<void> {
    const { file, port, secret, api, token } = this.#options
    const script = fileURLToPath(new URL('receiver.ts', import.meta.url))
    const child = spawn(
      process.execPath,
      ['--conditions=@kaccy/source', script, file, String(port), secret, api, token, String(seed)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    this.#child = child
    await once(child.stdout, 'data')
  }
  async kill(): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#child = undefined
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  /** From now on everything arrives. */
  calm(): void {
    writeFileSync(`${this.#options.file}.calm`, '')
  }
  books(): Books {
    const database = new Database(this.#options.file, { readonly: true })
    try {
      const column = (sql: string) => database.prepare(sql).pluck().all() as number[]
      const rows = database.prepare('select subject, sat from credited').raw().all()
      return {
        cursor: column('select seq from inbox')[0] ?? 0,
        seqs: column('select seq from events order by place'),
        credited: Object.fromEntries(rows as [string, number][]),
      }
    } finally {
      database.close()
    }
  }
}
