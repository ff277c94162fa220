import type { Preset } from '../verify/preset.ts'
import { adyenPreset } from './adyen.ts'
import { adyenPlatformsPreset } from './adyen-platforms.ts'
import { anthropicPreset } from './anthropic.ts'
import { asanaPreset } from './asana.ts'
import { atlassianConnectPreset } from './atlassian-connect.ts'
import { auth0Preset } from './auth0.ts'
import { awsSnsPreset } from './aws-sns.ts'
import { azureEventGridPreset } from './azure-event-grid.ts'
import { bitbucketPreset } from './bitbucket.ts'
import { boxPreset } from './box.ts'
import { braintreePreset } from './braintree.ts'
import { calendlyPreset } from './calendly.ts'
import { checkoutComPreset } from './checkout-com.ts'
import { circleciPreset } from './circleci.ts'
import { clerkPreset } from './clerk.ts'
import { cloudinaryPreset } from './cloudinary.ts'
import { coinbaseCommercePreset } from './coinbase-commerce.ts'
import { contentfulPreset } from './contentful.ts'
import { discordPreset } from './discord.ts'
import { docusignPreset } from './docusign.ts'
import { dropboxPreset } from './dropbox.ts'
import { dropboxSignPreset } from './dropbox-sign.ts'
import { easypostPreset } from './easypost.ts'
import { elevenlabsPreset } from './elevenlabs.ts'
import { githubPreset } from './github.ts'
import { gitlabPreset } from './gitlab.ts'
import { gitlabSignedPreset } from './gitlab-signed.ts'
import { gocardlessPreset } from './gocardless.ts'
import { googlePubsubPreset } from './google-pubsub.ts'
import { hubspotPreset } from './hubspot.ts'
import { intercomPreset } from './intercom.ts'
import { jiraPreset } from './jira.ts'
import { lemonsqueezyPreset } from './lemonsqueezy.ts'
import { linePreset } from './line.ts'
import { linearPreset } from './linear.ts'
import { liveblocksPreset } from './liveblocks.ts'
import { livekitPreset } from './livekit.ts'
import { mailersendPreset } from './mailersend.ts'
import { mailgunPreset } from './mailgun.ts'
import { mandrillPreset } from './mandrill.ts'
import { messagebirdPreset } from './messagebird.ts'
import { metaPreset } from './meta.ts'
import { microsoftGraphPreset } from './microsoft-graph.ts'
import { modernTreasuryPreset } from './modern-treasury.ts'
import { molliePreset } from './mollie.ts'
import { mondayPreset } from './monday.ts'
import { muxPreset } from './mux.ts'
import { netlifyPreset } from './netlify.ts'
import { notionPreset } from './notion.ts'
import { oktaPreset } from './okta.ts'
import { onfidoPreset } from './onfido.ts'
import { openaiPreset } from './openai.ts'
import { paddlePreset } from './paddle.ts'
import { pagerdutyPreset } from './pagerduty.ts'
import { paypalPreset } from './paypal.ts'
import { paystackPreset } from './paystack.ts'
import { plaidPreset } from './plaid.ts'
import { plivoPreset } from './plivo.ts'
import { polarPreset } from './polar.ts'
import { postmarkPreset } from './postmark.ts'
import { pusherPreset } from './pusher.ts'
import { qstashPreset } from './qstash.ts'
import { quickbooksPreset } from './quickbooks.ts'
import { razorpayPreset } from './razorpay.ts'
import { replicatePreset } from './replicate.ts'
import { resendPreset } from './resend.ts'
import { retellPreset } from './retell.ts'
import { rfc9421Preset } from './rfc9421.ts'
import { sanityPreset } from './sanity.ts'
import { sendgridPreset } from './sendgrid.ts'
import { sentryPreset } from './sentry.ts'
import { shopifyPreset } from './shopify.ts'
import { slackPreset } from './slack.ts'
import { squarePreset } from './square.ts'
import { standardWebhooksPreset } from './standard-webhooks.ts'
import { stripePreset } from './stripe.ts'
import { svixPreset } from './svix.ts'
import { telegramPreset } from './telegram.ts'
import { telnyxPreset } from './telnyx.ts'
import { trelloPreset } from './trello.ts'
import { truelayerPreset } from './truelayer.ts'
import { twilioPreset } from './twilio.ts'
import { twitchPreset } from './twitch.ts'
import { typeformPreset } from './typeform.ts'
import { vercelPreset } from './vercel.ts'
import { vonagePreset } from './vonage.ts'
import { webflowPreset } from './webflow.ts'
import { wisePreset } from './wise.ts'
import { woocommercePreset } from './woocommerce.ts'
import { workosPreset } from './workos.ts'
import { xTwitterPreset } from './x-twitter.ts'
import { xeroPreset } from './xero.ts'
import { zendeskPreset } from './zendesk.ts'
import { zoomPreset } from './zoom.ts'

/** Every record of the catalogue, by provider: for documentation and tools. Apps import the senders they need. */
export const presets: readonly Preset[] = [
  adyenPreset,
  adyenPlatformsPreset,
  anthropicPreset,
  asanaPreset,
  atlassianConnectPreset,
  auth0Preset,
  awsSnsPreset,
  azureEventGridPreset,
  bitbucketPreset,
  boxPreset,
  braintreePreset,
  calendlyPreset,
  checkoutComPreset,
  circleciPreset,
  clerkPreset,
  cloudinaryPreset,
  coinbaseCommercePreset,
  contentfulPreset,
  discordPreset,
  docusignPreset,
  dropboxPreset,
  dropboxSignPreset,
  easypostPreset,
  elevenlabsPreset,
  githubPreset,
  gitlabPreset,
  gitlabSignedPreset,
  gocardlessPreset,
  googlePubsubPreset,
  hubspotPreset,
  intercomPreset,
  jiraPreset,
  lemonsqueezyPreset,
  linePreset,
  linearPreset,
  liveblocksPreset,
  livekitPreset,
  mailersendPreset,
  mailgunPreset,
  mandrillPreset,
  messagebirdPreset,
  metaPreset,
  microsoftGraphPreset,
  modernTreasuryPreset,
  molliePreset,
  mondayPreset,
  muxPreset,
  netlifyPreset,
  notionPreset,
  oktaPreset,
  onfidoPreset,
  openaiPreset,
  paddlePreset,
  pagerdutyPreset,
  paypalPreset,
  paystackPreset,
  plaidPreset,
  plivoPreset,
  polarPreset,
  postmarkPreset,
  pusherPreset,
  qstashPreset,
  quickbooksPreset,
  razorpayPreset,
  replicatePreset,
  resendPreset,
  retellPreset,
  rfc9421Preset,
  sanityPreset,
  sendgridPreset,
  sentryPreset,
  shopifyPreset,
  slackPreset,
  squarePreset,
  standardWebhooksPreset,
  stripePreset,
  svixPreset,
  telegramPreset,
  telnyxPreset,
  trelloPreset,
  truelayerPreset,
  twilioPreset,
  twitchPreset,
  typeformPreset,
  vercelPreset,
  vonagePreset,
  webflowPreset,
  wisePreset,
  woocommercePreset,
  workosPreset,
  xTwitterPreset,
  xeroPreset,
  zendeskPreset,
  zoomPreset,
]
