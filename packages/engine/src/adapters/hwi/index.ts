import { base64 } from '@scure/base'
import type { Signer, SigningAnswer } from '../../capabilities/signing/index.ts'
import { EngineError, type Network, ok, type Result, refuse } from '../../kernel/index.ts'
import { isJsonArray, isJsonObject, type JsonValue } from '../../protocol/json/index.ts'
import { type DeviceRefusal, readOutput, refusalOf } from './answer.ts'
import type { RunProgram } from './program.ts'

export type { DeviceRefusal } from './answer.ts'
export {
  type ProgramOptions,
  type ProgramOutput,
  type RunProgram,
  spawnProgram,
} from './program.ts'

/** A device as HWI lists it. */
export interface Device {
  readonly type: string
  readonly model: string
  readonly path: string
  /** Eight hex digits; absent while it is locked. */
  readonly fingerprint?: string
  readonly needsPin: boolean
  readonly needsPassphrase: boolean
  /** Why it cannot be used now. */
  readonly fault?: DeviceRefusal
}
/** Descriptors of an account, of every script type that the device knows. */
export interface DeviceDescriptors {
  readonly receive: readonly string[]
  readonly internal: readonly string[]
}
/** HWI's commands. All of them throw EngineError `SIGNER_UNREACHABLE` when nothing that can be read comes back. */
export interface Hwi {
  enumerate(): Promise<readonly Device[]>
  getDescriptors(
    fingerprint: string,
    account?: number,
  ): Promise<Result<DeviceDescriptors, DeviceRefusal>>
  /** Shows the address on the device and answers it; a person compares. */
  displayAddress(fingerprint: string, descriptor: string): Promise<Result<string, DeviceRefusal>>
}
export interface HwiOptions {
  readonly run: RunProgram
  readonly network: Network
}

/** HWI's names for `--chain`. */
const CHAINS: Readonly<Record<Network, string>> = {
  main: 'main',
  test: 'test',
  testnet4: 'testnet4',
  signet: 'signet',
  regtest: 'regtest',
}

const unreachable = (reason: string) =>
  new EngineError('SIGNER_UNREACHABLE', 'HWI gave no answer that can be read', {
    details: { reason },
  })

/** Runs a command and reads its answer with `read`; what `read` does not understand is no answer. */
async function ask<T>(
  run: RunProgram,
  args: readonly string[],
  read: (value: JsonValue) => T | undefined,
): Promise<Result<T, DeviceRefusal>> {
  const ran = await run(args, '')
  if (!ran.ok) throw unreachable(ran.error)
  const answer = readOutput(ran.value)
  if (!('read' in answer)) throw unreachable(answer.unreadable)
  if (!answer.read.ok) return answer.read
  const value = read(answer.read.value)
  if (value === undefined) throw unreachable('an answer of another form')
  return ok(value)
}

function readDevice(value: JsonValue): Device | undefined {
  if (!isJsonObject(value)) return undefined
  const [type, model, path] = ['type', 'model', 'path'].map((name) => value[name])
  if (typeof type !== 'string' || typeof model !== 'string' || typeof path !== 'string')
    return undefined
  const fingerprint = value['fingerprint']
  const fault = refusalOf(value)
  const isNamed = typeof fingerprint === 'string' && /^[0-9a-f]{8}$/.test(fingerprint)
  return {
    type,
    model,
    path,
    needsPin: value['needs_pin_sent'] === true,
    needsPassphrase: value['needs_passphrase_sent'] === true,
    ...(isNamed ? { fingerprint } : {}),
    ...(fault === undefined
      ? {}
      : { fault: fault === 'unknown' ? notReady('the device has an unknown error') : fault }),
  }
}
const notReady = (message: string): DeviceRefusal => refuse('SIGNER_NOT_READY', message).error

/** Every item read, or undefined when one cannot be. */
function all<T>(
  list: JsonValue | undefined,
  read: (item: JsonValue) => T | undefined,
): T[] | undefined {
  if (!isJsonArray(list)) return undefined
  const items = list.flatMap((item) => read(item) ?? [])
  return items.length === list.length ? items : undefined
}
const textOf = (value: JsonValue | undefined) => (typeof value === 'string' ? value : undefined)

/** HWI's command line. */
export function createHwi({ run, network }: HwiOptions): Hwi {
  const chain = ['--chain', CHAINS[network]]
  return {
    async enumerate() {
      const devices = await ask(run, [...chain, 'enumerate'], (value) => all(value, readDevice))
      if (!devices.ok) throw unreachable(devices.error.message)
      return devices.value
    },
    getDescriptors: (fingerprint, account = 0) =>
      ask(
        run,
        [...chain, '-f', fingerprint, 'getdescriptors', '--account', `${account}`],
        (value) => {
          if (!isJsonObject(value)) return undefined
          const receive = all(value['receive'], textOf)
          const internal = all(value['internal'], textOf)
          return receive && internal ? { receive, internal } : undefined
        },
      ),
    displayAddress: (fingerprint, descriptor) =>
      ask(run, [...chain, '-f', fingerprint, 'displayaddress', '--desc', descriptor], (value) =>
        isJsonObject(value) ? textOf(value['address']) : undefined,
      ),
  }
}

export interface HwiSignerOptions extends Pick<HwiOptions, 'run'> {
  readonly name: string
  /** Of the device's master key: eight hex digits. */
  readonly fingerprint: string
}

const unknown = (reason: string): SigningAnswer => ({ answer: 'unknown', reason })

/** A `Signer` for one device. The PSBT goes in by standard input. */
export function createHwiSigner({ name, fingerprint, run }: HwiSignerOptions): Signer {
  return {
    name,
    async sign({ bytes, network }) {
      const args = ['--chain', CHAINS[network], '-f', fingerprint, '--stdin']
      // An empty line ends the input.
      const ran = await run(args, `signtx ${base64.encode(bytes)}\n\n`)
      if (!ran.ok) return unknown(ran.error)
      const answer = readOutput(ran.value)
      if (!('read' in answer)) return unknown(answer.unreadable)
      if (answer.read.ok) return readSigned(answer.read.value)
      const { code, message, details } = answer.read.error
      return { answer: 'refused', code, reason: `${details['reason']}`, detail: message }
    },
  }
}

function readSigned(value: JsonValue): SigningAnswer {
  const psbt = isJsonObject(value) ? textOf(value['psbt']) : undefined
  if (psbt === undefined || !isJsonObject(value)) return unknown('an answer without a PSBT')
  if (value['signed'] === false) {
    const detail = 'the device signed nothing: none of its keys is in the transaction'
    return { answer: 'refused', code: 'SIGNER_MISCONFIGURED', reason: 'no_key', detail }
  }
  try {
    return { answer: 'signed', bytes: base64.decode(psbt) }
  } catch {
    return unknown('a PSBT that is not base64')
  }
}
