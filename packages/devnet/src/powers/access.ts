import { randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from './folder.ts'

export interface Credentials {
  readonly user: string
  readonly password: string
}
const COOKIE_USER = '__cookie__'

/** Who may call: a fixed user, and the cookie of this life of the node. */
export class Access {
  readonly auth: Credentials
  readonly cookiePath: string
  readonly #ownFolder: string | undefined
  #cookie = ''

  constructor(auth: Partial<Credentials> | undefined, folder: string | undefined) {
    const { user = 'devnet', password = randomBytes(16).toString('hex') } = auth ?? {}
    this.auth = { user, password }
    this.#ownFolder =
      folder === undefined ? mkdtempSync(join(tmpdir(), 'kaccy-devnet-')) : undefined
    const home = folder ?? this.#ownFolder ?? ''
    makeFolder(home)
    this.cookiePath = join(home, '.cookie')
    this.renewCookie()
  }
  /** Core writes a new cookie at every start. */
  renewCookie(): void {
    this.#cookie = `${COOKIE_USER}:${randomBytes(32).toString('hex')}`
    writeFileSync(this.cookiePath, this.#cookie, { mode: 0o600 })
  }
  authorize(credentials: string): boolean {
    const given = Buffer.from(credentials, 'base64')
    const fixed = Buffer.from(`${this.auth.user}:${this.auth.password}`)
    return [fixed, Buffer.from(this.#cookie)].some(
      (right) => right.length === given.length && timingSafeEqual(right, given),
    )
  }
  removeFiles(): void {
    rmSync(this.cookiePath, { force: true })
    if (this.#ownFolder) rmSync(this.#ownFolder, { recursive: true, force: true })
  }
}
