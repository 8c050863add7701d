import type { Sat } from '../../kernel/index.ts'

/** What a `bitcoin:` link asks for. Source: BIP 321, which replaces BIP 21. */
export interface PaymentUri {
  /** The address in the path; empty links carry the way to pay in their parameters. */
  readonly address?: string
  readonly amount?: Sat
  readonly label?: string
  readonly message?: string
  /** BOLT 11 invoices. */
  readonly lightning?: readonly string[]
  /** BOLT 12 offers. */
  readonly lno?: readonly string[]
  /** Silent payment addresses (BIP 352). */
  readonly sp?: readonly string[]
  /** Private payment codes (BIP 351). */
  readonly pay?: readonly string[]
  /** Segwit addresses in parameters named like their prefix: `bc`, `tb`, `bcrt`. */
  readonly segwit?: readonly string[]
  /** Where the payer's program may report the payment. */
  readonly pop?: ProofOfPayment
  /** Parameters that we do not know and that are not required, in their order. */
  readonly others?: readonly (readonly [key: string, value: string])[]
}

export interface ProofOfPayment {
  /** The beginning of the link to open. */
  readonly uri: string
  /** True for `req-pop`: who cannot report must not pay. */
  readonly isRequired: boolean
}

/** Schemes that a browser or mail program would open: a link must not make a payer visit a page. Source: BIP 321. */
const FORBIDDEN_SCHEMES = ['http', 'https', 'file', 'javascript', 'mailto']

export function isCallbackAllowed(uri: string): boolean {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]
  return scheme !== undefined && !FORBIDDEN_SCHEMES.includes(scheme.toLowerCase())
}

/**
 * The link to open after paying: `paid` is the kind of payment (`onchain` or the name of the parameter that was
 * used), `proof` the transaction or preimage in hex. Undefined when there is none to open.
 */
export function popCallback(
  { pop }: PaymentUri,
  paid: 'onchain' | 'lightning' | 'lno' | 'sp',
  proof: string,
): string | undefined {
  return pop && isCallbackAllowed(pop.uri) ? `${pop.uri}${paid}=${proof}` : undefined
}
