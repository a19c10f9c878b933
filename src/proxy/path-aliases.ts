/**
 * Addresses that clients of other services add to their base URL, as ours: `/openai/v1/…` and `/openai/…` are Azure's,
 * `/api/v1/…` is OpenRouter's. Google's SDK from version 3 on calls Gemini's methods under `/v1`. Ollama's own `/api/…` stays as it is. `url` includes the query.
 */
export function withoutAlias(url: string): string {
  const deployed = deployedPath.exec(url)?.groups
  if (deployed !== undefined) return `/v1/${deployed['rest']}`
  const called = geminiMethod.exec(url)?.[1]
  if (called !== undefined) return `/v1beta${called}`
  return url.replace(/^\/+(?:openai|api\/+v1)\/+(?:v1\/+)?(?=[^/])/, '/v1/')
}

/** The model that an address of Azure's names: `/openai/deployments/{model}/chat/completions`. */
export function deploymentIn(url: string): string | undefined {
  const name = deployedPath.exec(url)?.groups?.['name']
  try {
    return name === undefined ? undefined : decodeURIComponent(name)
  } catch {
    return undefined
  }
}

/** A name may hold slashes, so it ends where a path that takes a model begins. */
const deployedPath =
  /^\/+openai\/deployments\/(?<name>.+?)\/(?<rest>(?:chat\/completions|completions|embeddings|responses|audio\/\w+|images\/\w+)(?:\?.*)?)$/s

/** With the colon before the method no such address is one of OpenAI's. */
const geminiMethod =
  /^\/+v1(\/models\/[^?]+:(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)(?:\?.*)?)$/s
