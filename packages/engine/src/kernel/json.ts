/** Values that survive JSON unchanged. Satoshi amounts are JSON integers (21M BTC fits in 2^53). */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json }
