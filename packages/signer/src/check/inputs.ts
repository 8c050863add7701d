import type { Place, Wallet } from '../bitcoin/descriptor.ts'
import { type Sighash, sighashOf } from '../bitcoin/sighash.ts'
import { verifyEcdsa, verifySchnorr } from '../bitcoin/signature.ts'
import { outpointName, readTx, type TxOutput, txidOf } from '../bitcoin/transaction.ts'
import { p2pkh } from '../bitcoin/script.ts'
import { equal, Malformed, Reader } from '../bytes.ts'
import { IN, type PairMap, type Psbt, several, single } from '../psbt/psbt.ts'
import { claimOf, originsOf } from './places.ts'
import { type Fault, fault } from './refusal.ts'

/** An input that is ours, with what signing it needs. */
export interface OwnInput {
  readonly coin: TxOutput
  readonly place: Place
  readonly sighashType: 0 | 1
}

const ALL = 1
/** Places of coins: far beyond any wallet, and below what can be written without hardening. */
const INDEX_MAX = 0x7fff_ffff

function readOutput(bytes: Uint8Array): TxOutput {
  const reader = new Reader(bytes)
  const output = { amount: reader.u64(), script: reader.sized() }
  reader.end()
  return output
}

/**
 * The coin an input spends, as its whole previous transaction proves it. Segwit v0 signs amounts of its own input only, so that
 * without the proof two signatures could be made to pay a huge fee (CVE-2020-14199); taproot signs all of them.
 */
function coinOf(wallet: Wallet, outpoint: Uint8Array, map: PairMap): TxOutput | Fault {
  const name = outpointName(outpoint)
  const told = single(map, IN.witnessUtxo)
  const previous = single(map, IN.nonWitnessUtxo)
  const coin = told && readOutput(told)
  if (!previous) {
    if (wallet.kind === 'tr' && coin) return coin
    return fault('previous_tx_required', `the transaction that made ${name} is not there`)
  }
  const tx = readTx(previous, 'any')
  const proven = tx.outputs[new Reader(outpoint.subarray(32)).u32()]
  if (!proven || `${txidOf(tx)}` !== name.slice(0, 64)) {
    return fault('previous_tx_mismatch', `the previous transaction is not that of ${name}`)
  }
  const isSame = !coin || (coin.amount === proven.amount && equal(coin.script, proven.script))
  return isSame ? proven : fault('utxo_mismatch', `two amounts or scripts are told of ${name}`)
}

/** The place of the wallet that the coin belongs to. */
function placeFor(wallet: Wallet, coin: TxOutput, map: PairMap, name: string): Place | Fault {
  const origins = originsOf(several(map, IN.derivation), several(map, IN.tapDerivation))
  if (!origins) throw new Malformed('a key origin')
  const claim = claimOf(wallet, origins, INDEX_MAX)
  const strange = fault('foreign_input', `the coin ${name} is not the wallet's`)
  if (claim.found !== 'place' || !equal(claim.place.script, coin.script)) {
    // A script that does not belong to the coin is the better answer than a coin that does not belong to us.
    return (
      scriptFault(wallet, claim.found === 'place' ? claim.place : undefined, map, name) ?? strange
    )
  }
  return scriptFault(wallet, claim.place, map, name) ?? claim.place
}

function scriptFault(
  wallet: Wallet,
  place: Place | undefined,
  map: PairMap,
  name: string,
): Fault | undefined {
  if (!place) return undefined
  const redeem = single(map, IN.redeemScript)
  const witness = single(map, IN.witnessScript)
  const isWrong = (told?: Uint8Array, ours?: Uint8Array) => told && !(ours && equal(told, ours))
  const internal = single(map, IN.tapInternalKey)
  const key = wallet.kind === 'tr' ? place.publicKeys[0]?.subarray(1) : undefined
  const hasLeaves = several(map, IN.tapLeafScript).length > 0 || single(map, IN.tapMerkleRoot)
  if (
    isWrong(redeem, place.redeemScript) ||
    isWrong(witness, place.witnessScript) ||
    isWrong(internal, key) ||
    hasLeaves
  ) {
    return fault('script_mismatch', `a script of ${name} is not the wallet's`)
  }
  return undefined
}

function sighashFor(wallet: Wallet, map: PairMap, name: string): 0 | 1 | Fault {
  const value = single(map, IN.sighashType)
  const isTaproot = wallet.kind === 'tr'
  if (!value) return isTaproot ? 0 : ALL
  if (value.length !== 4) throw new Malformed('a sighash type that is not 32 bits')
  const type = new Reader(value).u32()
  if (type === ALL || (isTaproot && type === 0)) return type as 0 | 1
  return fault('sighash', `${name} asks for sighash ${type}; only ALL is signed`)
}

const isFault = (value: unknown): value is Fault =>
  typeof value === 'object' && value !== null && 'reason' in value

/** All inputs, or everything that is wrong with them. @throws Malformed */
export function checkInputs(
  wallet: Wallet,
  { tx, inputs }: Psbt,
): {
  readonly own: readonly (OwnInput | undefined)[]
  readonly coins: readonly (TxOutput | undefined)[]
  readonly faults: readonly Fault[]
} {
  const faults: Fault[] = []
  const seen = new Set<string>()
  const coins: (TxOutput | undefined)[] = []
  const own = tx.inputs.map(({ outpoint, sequence }, i) => {
    const map = inputs[i] as PairMap
    const name = outpointName(outpoint)
    if (seen.has(name)) faults.push(fault('duplicate_input', `the coin ${name} is spent twice`))
    seen.add(name)
    if (single(map, IN.finalScript) || single(map, IN.finalWitness)) {
      faults.push(fault('already_final', `the input of ${name} is finalised already`))
    }
    // A relative lock (BIP 68) would keep the payment back for up to a year.
    if (tx.version >= 2 && sequence < 0x8000_0000) {
      faults.push(fault('sequence', `a relative lock at ${name}`))
    }
    const sighashType = sighashFor(wallet, map, name)
    const coin = coinOf(wallet, outpoint, map)
    const told = single(map, IN.witnessUtxo)
    const known = isFault(coin) ? told && readOutput(told) : coin
    coins.push(known)
    const place = known ? placeFor(wallet, known, map, name) : undefined
    for (const answer of [sighashType, coin, place]) if (isFault(answer)) faults.push(answer)
    if (isFault(sighashType) || isFault(coin) || !place || isFault(place)) return undefined
    return { coin, place, sighashType }
  })
  return { own, coins, faults }
}

/** What input `i` signs with the plain sighash type ALL. */
export function ecdsaHash(wallet: Wallet, hashes: Sighash, i: number, place: Place): Uint8Array {
  const [key = new Uint8Array()] = place.publicKeys
  if (wallet.kind === 'pkh') return hashes.legacy(i, place.script)
  return hashes.segwit(i, place.witnessScript ?? p2pkh(key))
}

/** Signatures that are there already have to be of the wallet's keys, and right: no junk is carried to the others. */
export function checkSignatures(
  wallet: Wallet,
  { tx, inputs }: Psbt,
  own: readonly OwnInput[],
): readonly Fault[] {
  const hashes = sighashOf(
    tx,
    own.map(({ coin }) => coin),
  )
  return own.flatMap(({ place }, i) => {
    const map = inputs[i] as PairMap
    const name = outpointName(tx.inputs[i]?.outpoint as Uint8Array)
    const isWrong =
      several(map, IN.partialSig).some(({ keyData, value }) => {
        const isOurs = wallet.kind !== 'tr' && place.publicKeys.some((key) => equal(key, keyData))
        return !isOurs || !verifyEcdsa(value, ecdsaHash(wallet, hashes, i, place), keyData)
      }) ||
      several(map, IN.tapScriptSig).length > 0 ||
      several(map, IN.tapKeySig).some(({ value }) => {
        const key = place.script.subarray(2)
        return wallet.kind !== 'tr' || !verifySchnorr(value, (type) => hashes.taproot(i, type), key)
      })
    return isWrong
      ? [fault('foreign_signature', `a signature at ${name} is of no key of the wallet, or wrong`)]
      : []
  })
}
