import { readScript } from '../script/index.ts'
import type { PsbtInput } from './model.ts'

/** The data that an input script pushes; undefined where it does anything else. */
export function pushesOf(script: Uint8Array): Uint8Array[] | undefined {
  const steps = readScript(script)
  if (!steps.ok) return undefined
  const pushes: Uint8Array[] = []
  for (const { data } of steps.value) {
    if (!data) return undefined
    pushes.push(data)
  }
  return pushes
}

/** The redeem script of an input, or what its completed form shows as one (BIP 174 takes the field away then). */
export const redeemScriptOf = ({ redeemScript, finalScript }: PsbtInput): Uint8Array | undefined =>
  redeemScript ?? (finalScript && pushesOf(finalScript)?.at(-1))

/** As `redeemScriptOf`, for the last item of the witness of a coin that is spent by a script. */
export const witnessScriptOf = ({
  witnessScript,
  finalWitness,
}: PsbtInput): Uint8Array | undefined => witnessScript ?? finalWitness?.at(-1)
