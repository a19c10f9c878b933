import Fastify, { type FastifyInstance } from 'fastify'
import { takeOver } from '../../operations/take-over.ts'
import type { DocumentParts } from './document.ts'

/**
 * `GET /openapi.json`: the API as an OpenAPI 3.1 document; `GET /docs`: a page that shows it, without a request to anywhere
 * else. Neither is loaded before its first request, so that start-up stays fast.
 */
export function registerApiReference(app: FastifyInstance, parts: DocumentParts): void {
  let made: Promise<object> | undefined
  const document = () => (made ??= import('./document.ts').then(({ openApiDocument }) => openApiDocument(parts)))
  let page: Promise<FastifyInstance> | undefined

  app.get('/openapi.json', document)
  const show = async () => (page ??= openPage(await document()))
  for (const path of ['/docs', '/docs/*']) {
    app.get(path, async (request, reply) => {
      const shown = await show()
      shown.routing(request.raw, takeOver(reply))
    })
  }
  app.addHook('onClose', async () => (await page)?.close())
}

/** The page is a small application of its own, because Fastify accepts no plugins once it listens. */
async function openPage(document: object): Promise<FastifyInstance> {
  const [{ default: swagger }, { default: swaggerUi }] = await Promise.all([
    import('@fastify/swagger'),
    import('@fastify/swagger-ui'),
  ])
  const page = Fastify({ routerOptions: { ignoreTrailingSlash: true } })
  await page.register(swagger, { mode: 'static', specification: { document: document as never } })
  await page.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { validatorUrl: null, tryItOutEnabled: false },
    staticCSP: { 'default-src': "'self'", 'style-src': "'self' 'unsafe-inline'", 'img-src': "'self' data:" },
  })
  await page.ready()
  return page
}
