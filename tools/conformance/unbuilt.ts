/** Topics whose capability is not built yet, with what is missing; a module in `topics/` takes precedence. */
export const UNBUILT: Readonly<Record<string, string>> = {
  bolt11: 'Lightning invoices are not built yet',
  bolt12: 'Lightning offers are not built yet',
  bolt3: 'Lightning channels are not built yet',
  bolt4: 'Lightning onion packets are not built yet',
  dlc: 'discreet log contracts are not built yet',
  'lnd-api': 'the LND client is not built yet',
  messages: 'signed messages are not built yet',
  miniscript: 'miniscript is not built yet',
  musig2: 'MuSig2 is not built yet',
  payjoin: 'PayJoin is not built yet',
  rsk: 'the RSK bridge is not built yet',
  scenarios: 'chain schedules are run by the scenarios command, not here',
  'silent-payments': 'silent payments are not built yet',
  slip39: 'SLIP 39 shares are not built yet',
  stacks: 'the Stacks bridge is not built yet',
  swap: 'swaps are not built yet',
}
