/** Ordinary prose, with the punctuation and the scripts that chats have. */
export const prose = `
The gateway isn't a proxy that forwards everything; it's the place where someone decides. "Why this model?", they'd ask,
and we'll answer: because 87.5% of comparable requests were served correctly by it, at $0.0042 each (n = 1,204).

1. First, measure the request.   2. Then filter.	3. Then — only then — predict.
* C'est l'été : l'ordinateur ne répond plus, même après 30 minutes d'attente…
* Der Übersetzungsfehler läßt sich größtenteils auf die Zeichenkodierung zurückführen.
* El niño comió piña en la montaña. ¿Cuántos años tiene? ¡Veintidós!
* Съешь же ещё этих мягких французских булок, да выпей чаю.
* 路由器决定每个请求应该由哪个模型来回答。价格、速度和质量都要考虑。
* このモデルは、コードを書くのが得意です。カタカナとひらがな、漢字も混ざります。
* 오늘은 날씨가 정말 좋네요. 산책하러 갈까요?
* مرحبا بالعالم، كيف حالك اليوم؟   * नमस्ते दुनिया, आप कैसे हैं?   * สวัสดีชาวโลก วันนี้เป็นอย่างไรบ้าง
Emoji: 😀👍🏽 👩‍👩‍👧 🇫🇷 – math: ∑ᵢ xᵢ² ≤ ε, ∀ε>0; 3×10⁸ m/s.
`

/** Ordinary source code, with the indentation and the names that it has. */
export const source = `
import { readFileSync } from 'node:fs'

export async function fetchUserByID(userId: number, { retries = 3, timeoutMs = 30_000 } = {}): Promise<User | null> {
    const HTTP_STATUS_OK = 200;
    for (let attempt = 0; attempt < retries; attempt++) {
        try {
            const response = await fetch(\`https://api.example.com/v2/users/\${userId}?expand=true&fields=a,b,c\`);
            if (response.status !== HTTP_STATUS_OK) throw new Error("bad status: " + response.status); // try again
            return (await response.json())?.data ?? null;
        } catch (err) { /* isn't fatal */ }
    }
\treturn null;
}

def parse_header(line: str) -> dict[str, int]:
    """Splits 'key=value;key=value'."""
    return {k.strip(): int(v, 16) for k, v in (p.split("=") for p in line.split(";")) if v != "0xDEADBEEF"}

SELECT id, COUNT(*) AS n FROM requests WHERE created_at >= '2024-01-31T23:59:59Z' GROUP BY id HAVING n > 1;
{"id":"chatcmpl-9f8e7d6c5b4a","usage":{"prompt_tokens":1234,"completion_tokens":56},"hash":"e3b0c44298fc1c149afbf4c8996fb924"}
`

/** Strings at the boundaries of the patterns' pieces, combined in any order. */
// prettier-ignore
export const atoms = [
  'a', 'B', 'word', 'Hello', 'HTTP', 'XMLHttpRequest', 'camelCase', 'snake_case', 'İstanbul', 'ß', 'ǅ', 'ʰ', 'ª', '𝒳',
  "'s", "'S", "'LL", "'ve", "'ſ", "'", '"', ' ', '  ', '    ', '\n', '\n\n', '\r\n', '\t', '\u00a0', '\u0085', '\u3000',
  '1', '42', '1234567', '3.14', '٣', '½', 'Ⅳ', '/', '//', '/*', '...', '-->', '!=', '{}', '();', '/\n', '$\r\n',
  'é', 'e\u0301', '\u0301', 'Ω', 'ж', 'Ж', 'ا', 'مرحبا', 'हिन्दी', 'ไทย', '漢', '漢字かな', '한국어', '。', '、',
  '😀', '👩‍👩‍👧', '🇫🇷', '👍🏽', '\u200d', '\ufe0f', '\ufeff', '\u0000', '\ud800', '\udc00', '<|endoftext|>',
]
