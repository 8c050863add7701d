import { addressOf } from '../chain/address.ts'
import { withChecksum } from '../descriptor/checksum.ts'
import { DescriptorError } from '../descriptor/error.ts'
import { type Descriptor, parseDescriptor } from '../descriptor/parse.ts'
import type { Provider } from '../descriptor/provider.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { integerArgument, type Method, method } from './method.ts'

/** Runs `read`; a descriptor that is wrong becomes Core's -5. */
function orRefuse<T>(read: () => T): T {
  try {
    return read()
  } catch (fault) {
    if (fault instanceof DescriptorError) throw rpcError('invalidAddressOrKey', fault.message)
    throw fault
  }
}
export const descriptorArgument = (text: string, needsChecksum = false): Descriptor =>
  orRefuse(() => parseDescriptor(text, needsChecksum))
export const scriptsAt = (descriptor: Descriptor, index: number): readonly Uint8Array[] =>
  orRefuse(() => descriptor.scripts(index))
/** The same, and `known` learns the keys and inner scripts. */
export const scriptsOf = (
  descriptor: Descriptor,
  index: number,
  known: Provider,
): readonly Uint8Array[] => orRefuse(() => descriptor.expand(index, known))

/** `n` or `[begin, end]`, both ends included. @throws RpcError -8 in Core's words. */
export function rangeArgument(value: unknown): readonly [number, number] {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [0, value]
  if (parts.length !== 2 || parts.some((part) => typeof part !== 'number')) {
    const fault = 'Range must be specified as end or as [begin,end]'
    throw rpcError('invalidParameter', fault)
  }
  const [begin, end] = [integerArgument(parts[0]), integerArgument(parts[1])]
  if (begin > end && Array.isArray(value)) {
    const fault = 'Range specified as [begin,end] must not have begin after end'
    throw rpcError('invalidParameter', fault)
  }
  if (begin < 0) throw rpcError('invalidParameter', 'Range should be greater or equal than 0')
  if (end < 0 || end >= 0x80000000) throw rpcError('invalidParameter', 'End of range is too high')
  if (end >= begin + 1_000_000) throw rpcError('invalidParameter', 'Range is too large')
  return [begin, end]
}

function deriveAddresses(args: readonly unknown[]): Json {
  const [begin, end] = args[1] === undefined ? [0, 0] : rangeArgument(args[1])
  const descriptor = descriptorArgument(String(args[0]), true)
  if (!descriptor.ranged && args[1] !== undefined) {
    const fault = 'Range should not be specified for an un-ranged descriptor'
    throw rpcError('invalidParameter', fault)
  }
  if (descriptor.ranged && args[1] === undefined) {
    throw rpcError('invalidParameter', 'Range must be specified for a ranged descriptor')
  }
  const addresses: string[] = []
  for (let index = begin; index <= end; index++) {
    const scripts = scriptsAt(descriptor, index)
    for (const script of scripts) {
      const address = addressOf(script)
      // Of a combo the bare key has no address: it is passed over.
      if (address === undefined && scripts.length > 1) continue
      if (address === undefined) {
        const fault = 'Descriptor does not have a corresponding address'
        throw rpcError('invalidAddressOrKey', fault)
      }
      addresses.push(address)
    }
  }
  return addresses
}
function descriptorInfo(args: readonly unknown[]): Json {
  const descriptor = descriptorArgument(String(args[0]))
  return {
    descriptor: withChecksum(descriptor.body),
    checksum: descriptor.checksum,
    isrange: descriptor.ranged,
    issolvable: descriptor.solvable,
    hasprivatekeys: descriptor.hasPrivateKeys,
  }
}

export const descriptorMethods: readonly Method[] = [
  method('deriveaddresses', ['descriptor:string', 'range:any?'], (_, args) =>
    deriveAddresses(args),
  ),
  method('getdescriptorinfo', ['descriptor:string'], (_, args) => descriptorInfo(args)),
]
