import type { Purchase } from './purchases.ts'

export const PRODUCT = { name: 'Ethiopia Yirgacheffe, 250 g', amountSat: 150_000 }

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
const sats = (amount: number): string => `${amount.toLocaleString('en')} sat`

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="/shop.css">
</head>
<body>
<header><a href="/">Northwind Coffee</a></header>
<main>
${body}
</main>
</body>
</html>
`

export const productPage = (): string =>
  page(
    PRODUCT.name,
    `<div class="card">
<div class="beans" role="img" aria-label="A bag of coffee"></div>
<h1>${escaped(PRODUCT.name)}</h1>
<p>Floral, with lemon and honey. Roasted this week.</p>
<p class="price">${sats(PRODUCT.amountSat)}</p>
<form method="post" action="/buy"><button>Buy with Bitcoin</button></form>
</div>`,
  )

/** @param server where the checkout page is, as the customer's browser reaches it */
export const purchasePage = (purchase: Purchase, server: string): string =>
  page(
    `Purchase ${purchase.id}`,
    `<div class="card" id="purchase" data-status="${purchase.status}">
<h1>${escaped(purchase.product)}</h1>
${purchase.status === 'waiting' ? checkout(purchase, server) : WORDS[purchase.status]}
</div>`,
  )

const checkout = ({ orderId, amountSat }: Purchase, server: string): string =>
  orderId === null
    ? `<p>We cannot reach our bank. <a href="">Try again</a>; nothing is lost.</p>`
    : `<p class="price">${sats(amountSat)}</p>
<div data-kaccy-order="${escaped(orderId)}"></div>
<script src="${escaped(server)}/pay/embed.js"></script>
<script src="/shop.js"></script>`

const WORDS = {
  paid: '<p class="good">Paid. Your coffee is on its way.</p>',
  held: '<p>Your payment has to be confirmed again. We wait with the parcel.</p>',
}

/** Only the webhook marks a purchase as paid; the page asks until it has. */
export const SHOP_JS = `addEventListener('kaccy:status', async ({ detail }) => {
  if (detail.phase !== 'paid') return
  for (;;) {
    const answer = await fetch(location.pathname + '/status')
    if ((await answer.json()).status !== 'waiting') return location.reload()
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
})
`

export const SHOP_CSS = `:root { color-scheme: light dark; font: 17px/1.5 system-ui, sans-serif; --accent: #b45309; }
body { margin: 0; background: light-dark(#faf7f2, #171412); color: light-dark(#292018, #ece5dd); }
header { padding: 1rem 1.5rem; font-weight: 700; }
header a { color: inherit; text-decoration: none; }
main { max-width: 34rem; margin: 0 auto; padding: 0 1rem 3rem; }
.card { background: light-dark(#fff, #221d19); border-radius: 16px; padding: 1.5rem; box-shadow: 0 1px 3px #0003; }
.beans { height: 11rem; border-radius: 12px; background: radial-gradient(circle at 30% 30%, #d9a066, #6b3f1d 60%, #3a2110); }
h1 { font-size: 1.4rem; margin: 1rem 0 0; }
.price { font-size: 1.2rem; font-weight: 600; }
.good { color: light-dark(#166534, #86efac); font-weight: 600; }
button { font: inherit; font-weight: 600; color: #fff; background: var(--accent); border: 0; border-radius: 10px; padding: .7rem 1.3rem; cursor: pointer; }
`
