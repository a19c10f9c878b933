/**
 * Whether the path of a file or folder is one where programs keep credentials: a search result is sent to models and logs.
 * `file` is absolute, with forward slashes; a folder above it counts too.
 */
export function isSecretPath(file: string): boolean {
  if (secretFolder.test(file) || secretPlace.test(file)) return true
  const name = file.slice(file.lastIndexOf('/') + 1)
  return (secretName.test(name) || secretData.test(name)) && !sampleName.test(name)
}

/** Folders that hold little but credentials, keys or access tokens. */
const secretFolder =
  /\/\.(?:aws|azure|oci|kube|ssh|gnupg|password-store|gcloud|cloudflared|snowsql|vault|chef|minikube|purple|local\/share\/keyrings|config\/(?:gcloud|gh|hub|doctl|op|sops|age|rclone|configstore|github-copilot))(?:\/|$)/i

/** Ordinary names that hold credentials at these places only. */
const secretPlace =
  /\/(?:\.docker\/[^/]*\.json|\.cargo\/credentials(?:\.toml)?|\.gem\/credentials|\.m2\/settings(?:-security)?\.xml|\.gradle\/gradle\.properties|\.nuget\/nuget\.config|\.terraform\.d\/[^/]*\.json|\.composer\/auth\.json|\.?huggingface\/(?:stored_)?tokens?|\.(?:codex|claude|gemini|qwen)\/(?:auth|oauth_creds)\.json|\.circleci\/cli\.yml|\.(?:netlify|vercel|fly|wrangler)\/(?:config|auth)[^/]*|etc\/(?:g?shadow-?|sudoers))$/i

const secretName = new RegExp(
  `^(?:${[
    // Environments: `.env`, `.env.local`, `prod.env`.
    String.raw`\.env(?:[.-].+)?|.+\.env|\.envrc|\.flaskenv|\.dev\.vars|\.renviron|\.secrets?`,
    // Logins of tools.
    String.raw`[._]netrc|\.npmrc|\.pypirc|\.git-credentials|\.dockercfg|\.dockerconfigjson|\.htpasswd|\.htdigest|\.pgpass|pgpass\.conf`,
    String.raw`\.my\.cnf|\.mylogin\.cnf|\.s3cfg|\.boto|\.vault-token|\.?vault[_-]pass(?:word)?(?:\.txt)?|\.?terraform(?:rc|\.rc)|\.databrickscfg`,
    String.raw`\.(?:msmtp|esmtp|fetchmail|mutt|offlineimap|lftp)rc|\.ftpconfig|\.remote-sync\.json|sftp(?:-config)?\.json|\.tugboat|\.trc`,
    String.raw`rclone\.conf|kaggle\.json|ngrok\.yml|kubeconfig(?:\..+)?|.+\.kubeconfig|local\.settings\.json|filezilla\.xml|recentservers\.xml|sitemanager\.xml`,
    String.raw`dbeaver-data-sources\.xml|robomongo\.json|proftpdpasswd|application_default_credentials\.json|.*firebase-adminsdk.*\.json`,
    // Histories of shells and consoles, which repeat what was typed.
    String.raw`\..+_history|\.history|fish_history|\.dbshell|\.lesshst|consolehost_history\.txt|\.rhistory|\.histfile`,
    // State of infrastructure tools, in plain text.
    String.raw`.+\.tfstate(?:\..+)?|tfstate\.json`,
    // Keys, certificates with keys, and password databases.
    String.raw`.*\.(?:pem|key|p8|p12|pfx|pkcs12|jks|keystore|bks|ppk|keytab|kdbx?|psafe3|agilekeychain|keychain(?:-db)?|ovpn|gpg|age|mobileprovision)`,
    String.raw`(?:.*_|id_)(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|private_key|otr\.private_key|secret_token\.rb|\.openshift-token`,
  ].join('|')})$`,
  'i',
)

/** Names that say what they hold; only in formats for data, because `credentials.ts` is a program. */
const secretData =
  /^(?:\.?(?:.*[._-])?(?:credentials?|secrets?|passwords?|passwd|oauth[_-]?creds|client[_-]?secrets?|service[_-]?account(?:[_-]?key)?|api[_-]?keys?|access[_-]?keys?|auth[_-]?tokens?)(?:[._-].*)?\.(?:json|ya?ml|toml|ini|cfg|conf|properties|xml|csv|tsv|txt|enc|bak|old)|\.?(?:credentials|passwd|shadow|htpasswd)|client_secret.*\.json|serviceaccount(?:key)?\.json)$/i

/** Files that show which names to set. */
const sampleName = /(?:^|[._-])(?:example|sample|template|tmpl|dist|schema|defaults?$)(?:[._-]|$)/i
