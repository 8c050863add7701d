import { createHash, randomBytes } from 'node:crypto'
import { generateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { printPath } from '../bitcoin/descriptor.ts'
import { SignerFailure } from '../failure.ts'
import { createHome, type Home } from '../home/home.ts'
import type { Settings } from '../home/registry.ts'
import { readPrivate } from '../home/files.ts'
import { COST } from '../home/seal.ts'
import { type Arguments, UsageFailure } from './arguments.ts'
import { homeOf, passphraseOf, type Terminal } from './terminal.ts'

const NETWORKS: readonly Settings['network'][] = ['main', 'test', 'testnet4', 'signet', 'regtest']
const WEEK = 7 * 24 * 60 * 60 * 1000

const newToken = (): { token: string; hash: string } => {
  const token = `kst_${randomBytes(32).toString('base64url')}`
  return { token, hash: createHash('sha256').update(token).digest('hex') }
}

function listenOf(given: Arguments): Settings['listen'] {
  const socket = given.text('socket')
  if (socket) return { socket }
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(given.text('listen') ?? '127.0.0.1:7655') ?? []
  if (!host || !port || Number(port) > 65_535) throw new UsageFailure('--listen is HOST:PORT')
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
}

/** `kaccy-signer init` */
export async function init(given: Arguments, terminal: Terminal): Promise<void> {
  const network = NETWORKS.find((name) => name === given.needed('network'))
  if (!network) throw new UsageFailure(`--network is one of ${NETWORKS.join(', ')}`)
  const keys = given.texts('receipt-key')
  if (keys.length === 0) throw new UsageFailure('--receipt-key is missing')
  const { token, hash } = newToken()
  const settings: Settings = {
    network,
    receipt_keys: keys,
    max_receipt_ms: WEEK,
    listen: listenOf(given),
    token_sha256: hash,
    wallets: [],
  }
  const logN = given.count('scrypt-log-n') ?? COST.logN
  const passphrase = await passphraseOf(given, terminal, true)
  createHome(homeOf(given, terminal), passphrase, settings, { ...COST, logN })
  terminal.write(`The engine's bearer token, shown this once:\n${token}\n`)
}

/** `kaccy-signer token`: another bearer token in place of the old one. */
export function token(home: Home, terminal: Terminal): void {
  const fresh = newToken()
  home.save({ ...home.settings, token_sha256: fresh.hash })
  terminal.write(`The engine's new bearer token, shown this once:\n${fresh.token}\n`)
}

/** `kaccy-signer receipt-key add|remove HEX` */
export function changeReceiptKey(given: Arguments, home: Home, terminal: Terminal): void {
  const [, action, key = ''] = given.words
  const others = home.settings.receipt_keys.filter((each) => each !== key)
  if (action !== 'add' && action !== 'remove') throw new UsageFailure('receipt-key add or remove')
  if (action === 'remove' && others.length === 0) {
    throw new SignerFailure('without a receipt key nothing would be signed: add the new one first')
  }
  const keys = action === 'add' ? [...others, key] : others
  home.save({ ...home.settings, receipt_keys: keys })
  terminal.write(`Receipt keys: ${keys.join(' ')}\n`)
}

/** `kaccy-signer add-key` */
export async function addKey(given: Arguments, home: Home, terminal: Terminal): Promise<void> {
  const file = given.text('mnemonic-file')
  const isNew = given.flag('generate')
  if (isNew && file) throw new UsageFailure('--generate or --mnemonic-file, not both')
  const words = isNew
    ? generateMnemonic(wordlist, 256)
    : file
      ? readPrivate(file)
      : await terminal.ask('Mnemonic: ')
  if (words === undefined)
    throw new SignerFailure('nobody is there to be asked: give --mnemonic-file')
  const extra = given.text('bip39-passphrase-file')
  const bip39 = extra ? (readPrivate(extra).split(/\r?\n/)[0] ?? '') : ''
  const fingerprint = home.vault.add(words, bip39)
  if (isNew) terminal.write(`Write these words down; they are not shown again:\n${words}\n`)
  terminal.write(`Key ${fingerprint} is here.\n`)
}

/** `kaccy-signer xpub`: the text of a key as it stands in a descriptor. */
export function xpub(given: Arguments, home: Home, terminal: Terminal): void {
  const [only, ...others] = home.vault.fingerprints
  const isClear = only !== undefined && others.length === 0
  const named = given.text('fingerprint') ?? (isClear ? only : given.needed('fingerprint'))
  const fingerprint = named.toLowerCase()
  const path = given.needed('path').replace(/^m\//, '').replaceAll('h', "'")
  if (!/^\d+'?(\/\d+'?)*$/.test(path)) throw new UsageFailure('--path is like 84h/0h/0h')
  const family = home.settings.network === 'main' ? 'main' : 'test'
  const master = home.vault.master(fingerprint, family)
  if (!master) throw new SignerFailure(`no key ${fingerprint} is here`)
  const { publicExtendedKey } = master.derive(`m/${path}`)
  terminal.write(`[${fingerprint}/${path.replaceAll("'", 'h')}]${publicExtendedKey}/<0;1>/*\n`)
}

/** The keys of a wallet, for people: `[fingerprint/path]`. */
export const originText = (fingerprint: string, path: readonly number[]): string =>
  `[${[fingerprint, printPath(path)].filter(Boolean).join('/')}]`
