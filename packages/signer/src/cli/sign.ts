import { closeSync, fsyncSync, openSync } from 'node:fs'
import { fromBase64, toBase64 } from '../bytes.ts'
import type { Desk } from '../desk.ts'
import { SignerFailure } from '../failure.ts'
import { writeAll } from '../home/files.ts'
import type { Home } from '../home/home.ts'
import { startServer } from '../http/server.ts'
import type { Arguments } from './arguments.ts'
import { readBytes, readLine, type Terminal } from './terminal.ts'

/** The signer looked and said no: exit code 3. */
export class RefusedFailure extends SignerFailure {}

/** Binary as it is; anything else is base64, and when it is not that either the desk says `malformed`. */
function psbtOf(bytes: Uint8Array): Uint8Array {
  const isBinary = Buffer.from(bytes.subarray(0, 5)).toString('latin1') === 'psbt\xff'
  if (isBinary) return Uint8Array.from(bytes)
  return fromBase64(Buffer.from(bytes).toString('latin1').replace(/\s+/g, '')) ?? new Uint8Array()
}

function writeNew(path: string, text: string): void {
  let file: number
  try {
    // Never over another file: it could be the transaction that was asked for.
    file = openSync(path, 'wx', 0o600)
  } catch {
    throw new SignerFailure(`${path} cannot be written, or is there already`)
  }
  try {
    writeAll(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** `kaccy-signer sign`: for hosts without a network. */
export function signFile(given: Arguments, desk: Desk, terminal: Terminal): void {
  const psbt = psbtOf(readBytes(given.needed('psbt'), terminal))
  const receipt = readLine(given.needed('receipt'), terminal)
  const answer = desk.sign(psbt, receipt)
  if (answer.answer === 'refused') {
    const lines = answer.faults.map(({ reason, detail }) => `${reason}: ${detail}`)
    throw new RefusedFailure(`not signed\n${lines.join('\n')}`)
  }
  if (answer.answer === 'not_ready') throw new SignerFailure(answer.detail)
  const text = `${toBase64(answer.psbt)}\n`
  const out = given.text('out')
  if (out) writeNew(out, text)
  else terminal.write(text)
  terminal.warn(`signed ${answer.txHash}\n`)
}

/** `kaccy-signer serve`: until it is asked to stop. */
export async function serve(home: Home, desk: Desk, terminal: Terminal): Promise<void> {
  const report = (error: unknown) =>
    terminal.warn(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  const server = await startServer(desk, home.settings, report)
  terminal.write(`kaccy-signer listens on ${server.address}\n`)
  if (!terminal.stop.aborted) {
    await new Promise((resolve) => terminal.stop.addEventListener('abort', resolve, { once: true }))
  }
  await server.stop()
  terminal.write('stopped\n')
}
