import type { SignerRefusalCode } from '../../capabilities/signing/index.ts'
import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import { isJsonObject, type JsonValue, jsonInteger, parseJson } from '../../protocol/json/index.ts'
import type { ProgramOutput } from './program.ts'

/** The error codes of HWI 3.x, by their names there. Source: hwilib/errors.py. */
const ERRORS: Readonly<
  Record<number, readonly [name: string, code: SignerRefusalCode | 'unknown']>
> = {
  [-1]: ['no_device_type', 'SIGNER_MISCONFIGURED'],
  [-2]: ['missing_arguments', 'SIGNER_MISCONFIGURED'],
  [-3]: ['device_conn_error', 'SIGNER_NOT_READY'],
  [-4]: ['unknown_device_type', 'SIGNER_MISCONFIGURED'],
  [-5]: ['invalid_tx', 'SIGNER_REFUSED'],
  [-6]: ['no_password', 'SIGNER_MISCONFIGURED'],
  [-7]: ['bad_argument', 'SIGNER_REFUSED'],
  [-8]: ['not_implemented', 'SIGNER_MISCONFIGURED'],
  [-9]: ['unavailable_action', 'SIGNER_MISCONFIGURED'],
  [-10]: ['device_already_init', 'SIGNER_MISCONFIGURED'],
  [-11]: ['device_already_unlocked', 'SIGNER_MISCONFIGURED'],
  [-12]: ['device_not_ready', 'SIGNER_NOT_READY'],
  [-13]: ['unknown_error', 'unknown'],
  [-14]: ['action_canceled', 'SIGNER_DECLINED'],
  [-15]: ['device_busy', 'SIGNER_NOT_READY'],
  [-16]: ['need_to_be_root', 'SIGNER_MISCONFIGURED'],
  [-17]: ['help_text', 'SIGNER_MISCONFIGURED'],
  [-18]: ['device_not_initialized', 'SIGNER_MISCONFIGURED'],
}

export type DeviceRefusal = Refusal<SignerRefusalCode>
/** What HWI printed: its answer, a refusal of the device, or nothing that can be read. */
export type DeviceAnswer =
  | { readonly read: Result<JsonValue, DeviceRefusal> }
  | { readonly unreadable: string }

/** The device's or HWI's own no. `reason` in the details is HWI's name of the error. */
export function refusalOf(value: JsonValue): DeviceRefusal | 'unknown' | undefined {
  if (!isJsonObject(value) || value['error'] === undefined) return undefined
  const [reason, code] = ERRORS[jsonInteger(value['code']) ?? 0] ?? ['unlisted', 'unknown']
  if (code === 'unknown') return 'unknown'
  const text = value['error']
  const message = typeof text === 'string' ? text.slice(0, 300) : reason
  return refuse(code, message, { details: { reason } }).error
}

/** One JSON value on standard output, also for errors. */
export function readOutput({ output, exitCode }: ProgramOutput): DeviceAnswer {
  const parsed = parseJson(output, 16)
  if (!parsed.ok) return { unreadable: `exit code ${exitCode} without JSON` }
  const refusal = refusalOf(parsed.value)
  if (refusal === 'unknown') return { unreadable: 'an error that HWI does not know either' }
  if (refusal) return { read: { ok: false, error: refusal } }
  return exitCode === 0 ? { read: ok(parsed.value) } : { unreadable: `exit code ${exitCode}` }
}
