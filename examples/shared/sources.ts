import { shopify, standardWebhooks } from '@trigger-hub/core/sources'

interface SignUp {
  readonly data: {
    readonly id: string
    readonly name: string
    readonly email: string
    readonly phone: string
  }
}

interface InventoryLevel {
  readonly inventory_item_id: number
  readonly location_id: number
  readonly available: number
}

interface Order {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly total_price: string
  readonly currency: string
  readonly line_items: readonly { readonly title: string; readonly quantity: number }[]
}

const { ACCOUNTS_SECRET = '', SHOPIFY_SECRET = '' } = process.env

/** Who sends: a shop, and an accounts service that follows Standard Webhooks. The payloads' types reach the bots. */
export const sources = {
  accounts: standardWebhooks<{ 'user.created': SignUp }>({ secret: ACCOUNTS_SECRET }),
  shop: shopify<{ 'inventory_levels.update': InventoryLevel; 'orders.create': Order }>({
    secret: SHOPIFY_SECRET,
  }),
}
