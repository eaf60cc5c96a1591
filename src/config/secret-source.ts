/** Where a secret is, as rtc-ops.yaml names it: a file, beside the config, or a variable of the environment. */
export type SecretSource = { readonly file: string } | { readonly env: string };
