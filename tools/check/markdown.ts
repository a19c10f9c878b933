import { marked, type Token } from 'marked'

/** Every token of a Markdown text at any depth, in the order of the text. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  // The result is only useful for callbacks that return something.
  void marked.walkTokens(marked.lexer(text), token => {
    tokens.push(token)
  })
  return tokens
}
