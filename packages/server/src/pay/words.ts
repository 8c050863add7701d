import type { Phase } from './phase.ts'

export const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]

/** What the page says in one phase: a heading, and what it means for the payer. `{…}` is filled in. */
interface Saying {
  readonly title: string
  readonly text: string
}

/** Every text of the page. A language is a whole table, or it does not compile. */
export interface Words {
  readonly phases: Readonly<Record<Phase, Saying>>
  readonly openWaiting: Saying
  readonly openPaid: Saying
  readonly steps: Readonly<Record<'waiting' | 'seen' | 'confirming' | 'paid', string>>
  readonly payTo: string
  readonly pay: string
  readonly anyAmount: string
  readonly amount: string
  readonly rate: string
  readonly address: string
  readonly received: string
  readonly missing: string
  readonly excess: string
  readonly order: string
  readonly until: string
  readonly timeLeft: string
  readonly timeOver: string
  readonly openWallet: string
  readonly copyAmount: string
  readonly copyAddress: string
  readonly copyOrder: string
  readonly copied: string
  readonly copyFailed: string
  readonly qrAlt: string
  readonly qrHint: string
  readonly exactly: string
  readonly payments: string
  readonly earlier: string
  readonly progress: string
  readonly confirmations: string
  readonly unconfirmed: string
  readonly confirmed: string
  readonly replaced: string
  readonly gone: string
  readonly late: string
  readonly extra: string
  readonly lostNotice: Saying
  readonly overpaidNotice: Saying
  readonly lateNotice: Saying
  readonly extraNotice: Saying
  readonly testNetwork: string
  readonly offline: string
  readonly noScript: string
  readonly reload: string
  readonly notFound: Saying
}

const en: Words = {
  phases: {
    waiting: {
      title: 'Waiting for your payment',
      text: 'Scan the code with your Bitcoin wallet, or open the wallet on this device.',
    },
    underpaid: {
      title: '{missing} still missing',
      text: 'Part of the amount has arrived. Send the rest to the same address.',
    },
    seen: {
      title: 'Payment detected',
      text: 'The network has your payment and is confirming it. Do not pay again. You can close this page.',
    },
    confirming: {
      title: 'Payment is being confirmed',
      text: '{confirmations} of {required} confirmations. Do not pay again. You can close this page.',
    },
    paid: { title: 'Paid', text: 'Your payment is complete. Thank you.' },
    expired: {
      title: 'This payment request has expired',
      text: 'Do not pay any more. If you have already paid, your money is not lost: contact the merchant and name the order below.',
    },
    expired_underpaid: {
      title: 'Time is up, {missing} missing',
      text: 'Do not send any more. What you sent has arrived: contact the merchant and name the order below.',
    },
    late: {
      title: 'Your payment arrived too late',
      text: 'It is not lost: the merchant can see it. Do not pay again. Contact the merchant and name the order below.',
    },
    cancelled: {
      title: 'This order was cancelled',
      text: 'Do not pay any more. If you have already paid, contact the merchant and name the order below.',
    },
  },
  openWaiting: {
    title: 'Ready for your deposit',
    text: 'Send any amount to this address, as often as you like.',
  },
  openPaid: {
    title: 'Deposit received',
    text: 'Your deposit is complete. You can send more at any time.',
  },
  steps: { waiting: 'Pay', seen: 'Detected', confirming: 'Confirmed', paid: 'Paid' },
  payTo: 'Pay {name}',
  pay: 'Pay with Bitcoin',
  anyAmount: 'Any amount',
  amount: 'Amount',
  rate: 'Rate: {rate} for 1 BTC',
  address: 'Bitcoin address',
  received: 'Received',
  missing: 'Still missing',
  excess: 'Paid too much',
  order: 'Order',
  until: 'Pay by {time} UTC',
  timeLeft: 'Time left',
  timeOver: 'Time is up',
  openWallet: 'Open in wallet',
  copyAmount: 'Copy amount',
  copyAddress: 'Copy address',
  copyOrder: 'Copy order number',
  copied: 'Copied',
  copyFailed: 'Could not copy',
  qrAlt: 'QR code: pay {amount} to {address}',
  qrHint: 'Scan, or click to copy the link',
  exactly: 'Send exactly this amount; network fees come on top.',
  payments: 'Your payments',
  earlier: 'and {count} earlier',
  progress: 'Progress',
  confirmations: '{confirmations} of {required} confirmations',
  unconfirmed: 'seen, not yet confirmed',
  confirmed: 'confirmed',
  replaced: 'replaced, does not count',
  gone: 'no longer valid, does not count',
  late: 'arrived late',
  extra: 'not needed for this order',
  lostNotice: {
    title: 'A payment no longer counts',
    text: 'A payment that was seen here was replaced or dropped by the network. If you did not do this yourself, look into your wallet before you pay again.',
  },
  overpaidNotice: {
    title: 'You paid {excess} more than asked',
    text: 'Your order is not affected. Contact the merchant if you want the difference back.',
  },
  lateNotice: {
    title: 'Part of your payment arrived late',
    text: 'The merchant has been told and decides what happens with it.',
  },
  extraNotice: {
    title: 'You paid again after the order was complete',
    text: 'The later payment is not lost. Contact the merchant to get it back.',
  },
  testNetwork: 'Test network ({network}): these coins are worth nothing. Do not send real bitcoin.',
  offline: 'No connection. This page will go on by itself; your payment is not affected.',
  noScript: 'Without JavaScript this page does not follow your payment by itself.',
  reload: 'Look again',
  notFound: {
    title: 'There is no such order',
    text: 'Check the link, or ask the merchant for a new one. Do not pay to an address from elsewhere.',
  },
}

const de: Words = {
  phases: {
    waiting: {
      title: 'Warten auf Ihre Zahlung',
      text: 'Scannen Sie den Code mit Ihrer Bitcoin-Wallet oder öffnen Sie die Wallet auf diesem Gerät.',
    },
    underpaid: {
      title: 'Es fehlen noch {missing}',
      text: 'Ein Teil des Betrags ist da. Senden Sie den Rest an dieselbe Adresse.',
    },
    seen: {
      title: 'Zahlung erkannt',
      text: 'Das Netzwerk hat Ihre Zahlung und bestätigt sie gerade. Zahlen Sie nicht noch einmal. Sie können diese Seite schließen.',
    },
    confirming: {
      title: 'Zahlung wird bestätigt',
      text: '{confirmations} von {required} Bestätigungen. Zahlen Sie nicht noch einmal. Sie können diese Seite schließen.',
    },
    paid: { title: 'Bezahlt', text: 'Ihre Zahlung ist abgeschlossen. Vielen Dank.' },
    expired: {
      title: 'Diese Zahlungsaufforderung ist abgelaufen',
      text: 'Zahlen Sie nicht mehr. Falls Sie schon gezahlt haben, ist Ihr Geld nicht verloren: Wenden Sie sich an den Händler und nennen Sie die Bestellung unten.',
    },
    expired_underpaid: {
      title: 'Die Zeit ist um, es fehlen {missing}',
      text: 'Senden Sie nichts mehr. Was Sie gesendet haben, ist angekommen: Wenden Sie sich an den Händler und nennen Sie die Bestellung unten.',
    },
    late: {
      title: 'Ihre Zahlung kam zu spät',
      text: 'Sie ist nicht verloren: Der Händler sieht sie. Zahlen Sie nicht noch einmal. Wenden Sie sich an den Händler und nennen Sie die Bestellung unten.',
    },
    cancelled: {
      title: 'Diese Bestellung wurde storniert',
      text: 'Zahlen Sie nicht mehr. Falls Sie schon gezahlt haben, wenden Sie sich an den Händler und nennen Sie die Bestellung unten.',
    },
  },
  openWaiting: {
    title: 'Bereit für Ihre Einzahlung',
    text: 'Senden Sie einen beliebigen Betrag an diese Adresse, so oft Sie möchten.',
  },
  openPaid: {
    title: 'Einzahlung eingegangen',
    text: 'Ihre Einzahlung ist abgeschlossen. Sie können jederzeit mehr senden.',
  },
  steps: { waiting: 'Zahlen', seen: 'Erkannt', confirming: 'Bestätigt', paid: 'Bezahlt' },
  payTo: 'An {name} zahlen',
  pay: 'Mit Bitcoin zahlen',
  anyAmount: 'Beliebiger Betrag',
  amount: 'Betrag',
  rate: 'Kurs: {rate} für 1 BTC',
  address: 'Bitcoin-Adresse',
  received: 'Eingegangen',
  missing: 'Fehlt noch',
  excess: 'Zu viel gezahlt',
  order: 'Bestellung',
  until: 'Zahlen Sie bis {time} UTC',
  timeLeft: 'Verbleibende Zeit',
  timeOver: 'Die Zeit ist um',
  openWallet: 'In Wallet öffnen',
  copyAmount: 'Betrag kopieren',
  copyAddress: 'Adresse kopieren',
  copyOrder: 'Bestellnummer kopieren',
  copied: 'Kopiert',
  copyFailed: 'Kopieren nicht möglich',
  qrAlt: 'QR-Code: {amount} an {address} zahlen',
  qrHint: 'Scannen, oder klicken zum Kopieren',
  exactly: 'Senden Sie genau diesen Betrag; Netzwerkgebühren kommen hinzu.',
  payments: 'Ihre Zahlungen',
  earlier: 'und {count} frühere',
  progress: 'Fortschritt',
  confirmations: '{confirmations} von {required} Bestätigungen',
  unconfirmed: 'gesehen, noch nicht bestätigt',
  confirmed: 'bestätigt',
  replaced: 'ersetzt, zählt nicht',
  gone: 'nicht mehr gültig, zählt nicht',
  late: 'zu spät angekommen',
  extra: 'für diese Bestellung nicht nötig',
  lostNotice: {
    title: 'Eine Zahlung zählt nicht mehr',
    text: 'Eine Zahlung, die hier zu sehen war, wurde ersetzt oder vom Netzwerk fallen gelassen. Wenn Sie das nicht selbst waren, sehen Sie in Ihrer Wallet nach, bevor Sie noch einmal zahlen.',
  },
  overpaidNotice: {
    title: 'Sie haben {excess} zu viel gezahlt',
    text: 'Ihre Bestellung ist davon nicht betroffen. Wenden Sie sich an den Händler, wenn Sie die Differenz zurückhaben möchten.',
  },
  lateNotice: {
    title: 'Ein Teil Ihrer Zahlung kam zu spät',
    text: 'Der Händler weiß davon und entscheidet, was damit geschieht.',
  },
  extraNotice: {
    title: 'Sie haben nach Abschluss noch einmal gezahlt',
    text: 'Die spätere Zahlung ist nicht verloren. Wenden Sie sich an den Händler, um sie zurückzubekommen.',
  },
  testNetwork:
    'Testnetzwerk ({network}): Diese Münzen sind nichts wert. Senden Sie keine echten Bitcoin.',
  offline: 'Keine Verbindung. Die Seite macht von selbst weiter; Ihre Zahlung ist nicht betroffen.',
  noScript: 'Ohne JavaScript verfolgt diese Seite Ihre Zahlung nicht von selbst.',
  reload: 'Noch einmal nachsehen',
  notFound: {
    title: 'Diese Bestellung gibt es nicht',
    text: 'Prüfen Sie den Link oder bitten Sie den Händler um einen neuen. Zahlen Sie nicht an eine Adresse von anderswo.',
  },
}

export const WORDS: Readonly<Record<Language, Words>> = { en, de }

/** Fills `{name}` in; what has no value stays as it is, so that a slip is seen. */
export const fill = (text: string, values: Readonly<Record<string, string | number>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  )

const isLanguage = (text: string | undefined): text is Language =>
  LANGUAGES.some((language) => language === text)

/**
 * The language of a reader: an explicit one, else the best of `Accept-Language`, else English. Source: RFC 9110, 12.5.4.
 * @param wanted from the address of the page
 */
export function languageOf(wanted: string | undefined, accept: string | undefined): Language {
  if (isLanguage(wanted)) return wanted
  const offers = (accept ?? '')
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [range = '', ...parameters] = part.trim().toLowerCase().split(';')
      const quality = parameters.map((text) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(text)?.[1])
      return {
        language: range.split('-')[0],
        quality: Number(quality.find((value) => value !== undefined) ?? 1),
      }
    })
    .filter(({ language, quality }) => isLanguage(language) && quality > 0)
    .sort((a, b) => b.quality - a.quality)
  const best = offers[0]?.language
  return isLanguage(best) ? best : 'en'
}
