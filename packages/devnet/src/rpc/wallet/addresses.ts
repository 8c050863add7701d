import { ripemd160 } from '@noble/hashes/legacy.js'
import { addressOf } from '../../chain/address.ts'
import { toHex } from '../../chain/bytes.ts'
import { inferWith } from '../../descriptor/infer.ts'
import { formatPath } from '../../descriptor/keypath.ts'
import { Provider } from '../../descriptor/provider.ts'
import { classifyScript, parseScript } from '../../script/script.ts'
import { WalletError } from '../../wallet/error.ts'
import type { Wallet } from '../../wallet/wallet.ts'
import { addressFault } from '../addresses.ts'
import { rpcError } from '../errors.ts'
import type { Json } from '../json.ts'
import type { Method } from '../method.ts'
import { textValue } from '../values.ts'
import { addressValue, labelValue, outputTypeValue, walletMethod } from './chosen.ts'

type View = { readonly [key: string]: Json | undefined }

function newAddress(wallet: Wallet, type: unknown, internal: boolean): string {
  const own = type === undefined ? 'bech32' : outputTypeValue(type)
  try {
    return addressOf(wallet.newScript(own, internal)) ?? ''
  } catch (fault) {
    if (!(fault instanceof WalletError)) throw fault
    throw rpcError('keypoolRanOut', fault.message)
  }
}
function requireKeys(wallet: Wallet, internal: boolean): void {
  if (wallet.hasActive(internal)) return
  throw rpcError('wallet', 'Error: This wallet has no available keys')
}
function getNewAddress(wallet: Wallet, args: readonly unknown[]): Json {
  requireKeys(wallet, false)
  const label = labelValue(args[0])
  const address = newAddress(wallet, args[1], false)
  wallet.label(address, { label, purpose: 'receive' })
  return address
}
function getRawChangeAddress(wallet: Wallet, args: readonly unknown[]): Json {
  requireKeys(wallet, true)
  return newAddress(wallet, args[0], true)
}
function setLabel(wallet: Wallet, args: readonly unknown[]): Json {
  const script = addressValue(args[0])
  const label = labelValue(args[1])
  const purpose = wallet.isMine(script) ? 'receive' : 'send'
  wallet.label(addressOf(script) ?? '', { label, purpose })
  return null
}
function addressesByLabel(wallet: Wallet, args: readonly unknown[]): Json {
  const label = labelValue(args[0])
  const own = wallet.sortedLabels().filter(([, entry]) => entry.label === label)
  if (own.length === 0) throw rpcError('invalidLabel', `No addresses with label ${label}`)
  return Object.fromEntries(own.map(([address, { purpose }]) => [address, { purpose }]))
}
function listLabels(wallet: Wallet, args: readonly unknown[]): Json {
  const purpose = args[0] === undefined ? '' : textValue(args[0])
  if (!['', 'send', 'receive', 'refund'].includes(purpose)) {
    const fault = "typically 'send', or 'receive'."
    throw rpcError(
      'invalidParameter',
      `Invalid 'purpose' argument, must be a known purpose string, ${fault}`,
    )
  }
  const entries = [...wallet.labels.values()]
  const own = entries.filter((entry) => purpose === '' || entry.purpose === purpose)
  return [...new Set(own.map(({ label }) => label))].sort()
}

/** What an address alone tells. */
function addressDetail(script: Uint8Array): View {
  const { kind, version, data } = classifyScript(script)
  const isscript =
    kind === 'witness_unknown' ? undefined : !['pubkeyhash', 'witness_v0_keyhash'].includes(kind)
  if (version < 0) return { isscript, iswitness: false }
  if (kind === 'anchor') return { isscript, iswitness: true }
  return { isscript, iswitness: true, witness_version: version, witness_program: toHex(data) }
}
/** What the wallet knows of the inside of a script. */
function innerDetail(script: Uint8Array, known: Provider): View {
  const { kind, data } = classifyScript(script)
  switch (kind) {
    case 'pubkeyhash':
    case 'witness_v0_keyhash': {
      const key = known.publicKeys.get(toHex(data))
      const iscompressed = kind === 'pubkeyhash' ? key && key.length === 33 : undefined
      return { pubkey: key && toHex(key), iscompressed }
    }
    case 'scripthash':
    case 'witness_v0_scripthash': {
      const hash = kind === 'scripthash' ? data : ripemd160(data)
      const inner = known.scripts.get(toHex(hash))
      return inner ? subScript(inner, known) : {}
    }
    default:
      return {}
  }
}
function subScript(script: Uint8Array, known: Provider): View {
  const { kind } = classifyScript(script)
  const head = { script: kind, hex: toHex(script) }
  const address = kind === 'pubkey' ? undefined : addressOf(script)
  if (address !== undefined) {
    const inner = innerDetail(script, known)
    const embedded: View = {
      ...addressDetail(script),
      ...inner,
      address,
      scriptPubKey: toHex(script),
    }
    return { ...head, pubkey: inner['pubkey'], embedded }
  }
  if (kind !== 'multisig') return head
  const pieces = parseScript(script) ?? []
  return {
    ...head,
    sigsrequired: (pieces[0]?.opcode ?? 0x50) - 0x50,
    pubkeys: pieces.slice(1, -2).map(({ data }) => toHex(data ?? new Uint8Array())),
  }
}
/** Where the single key of an address comes from. Source: Core's GetKeyForDestination. */
function keyDetail(wallet: Wallet, script: Uint8Array, known: Provider): View {
  const { kind, data } = classifyScript(script)
  const inner = kind === 'scripthash' ? known.scripts.get(toHex(data)) : undefined
  const innerForm = inner && classifyScript(inner)
  // Behind a script hash Core looks for a P2WPKH alone.
  const form = innerForm?.kind === 'witness_v0_keyhash' ? innerForm : { kind, data }
  const [owner] = wallet.ownersOf(script)
  let origin = known.origins.get(toHex(form.data))
  if (form.kind === 'witness_v1_taproot') {
    // With scripts behind it, the key is not the only way to spend: Core names none.
    const tree = known.trees.get(toHex(form.data))
    origin = tree && !tree.merkleRoot ? known.originOfXOnly(tree.internalKey) : undefined
  } else if (form.kind !== 'pubkeyhash' && form.kind !== 'witness_v0_keyhash') origin = undefined
  if (!owner || !origin) return {}
  return {
    timestamp: owner.record.timestamp,
    hdkeypath: `m${formatPath(origin.path)}`,
    hdseedid: '0'.repeat(40),
    hdmasterfingerprint: origin.fingerprint,
  }
}
function addressInfo(wallet: Wallet, args: readonly unknown[]): Json {
  const text = textValue(args[0])
  const script = addressValue(text, addressFault(text))
  const address = addressOf(script) ?? text
  const provider = wallet.providerOf(script)
  const inferred = provider && inferWith(script, provider)
  const [owner] = wallet.ownersOf(script)
  const label = wallet.labels.get(address)
  const known = provider ?? new Provider()
  return {
    address,
    scriptPubKey: toHex(script),
    ismine: provider !== undefined,
    solvable: inferred?.solvable ?? false,
    desc: inferred?.solvable ? inferred.text : undefined,
    parent_desc: owner?.record.descriptor.text('normalized'),
    iswatchonly: false,
    ...addressDetail(script),
    ...innerDetail(script, known),
    ischange: wallet.isChange(script),
    ...keyDetail(wallet, script, known),
    labels: label ? [label.label] : [],
  }
}
export const addressMethods: readonly Method[] = [
  walletMethod('getnewaddress', ['label:string?', 'address_type:string?'], getNewAddress),
  walletMethod('getrawchangeaddress', ['address_type:string?'], getRawChangeAddress),
  walletMethod('setlabel', ['address:string', 'label:string'], setLabel),
  walletMethod('getaddressesbylabel', ['label:string'], addressesByLabel),
  walletMethod('listlabels', ['purpose:string?'], listLabels),
  walletMethod('getaddressinfo', ['address:string'], addressInfo),
]
