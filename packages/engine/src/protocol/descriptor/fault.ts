import { refuse } from '../../kernel/index.ts'

export type DescriptorCode =
  | 'DESCRIPTOR_INVALID'
  | 'DESCRIPTOR_CHECKSUM'
  | 'DESCRIPTOR_UNSUPPORTED'
  | 'DESCRIPTOR_KEY_TWICE'
  | 'KEY_NETWORK'
  | 'KEY_HARDENED'
  | 'KEY_VERSION'
  | 'KEY_MULTISIG'
  | 'ADDRESS_NETWORK'

/** What is malformed, and where in the text it begins. */
export const malformed = (position: number, reason: string) =>
  refuse('DESCRIPTOR_INVALID', `the descriptor is malformed at ${position}: ${reason}`, {
    param: 'descriptor',
    details: { position, reason },
  })

/** A function that exists and that we do not read, by its name. */
export const unsupported = (name: string, position: number, more = '') =>
  refuse('DESCRIPTOR_UNSUPPORTED', `the descriptor function ${name}()${more} is not supported`, {
    param: 'descriptor',
    details: { function: name, position },
  })
