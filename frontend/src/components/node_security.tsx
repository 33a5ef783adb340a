import { Checkbox, NativeSelect, PasswordInput, Textarea, TextInput } from "@mantine/core";

import type { RemoteNode } from "../server/nodes";
import styles from "./node_form.module.css";
import { forgetsSecrets, type NodeFieldsProps, type SignIn } from "./node_setup";

type NodeSecurityProps = NodeFieldsProps & { readonly node: RemoteNode | null };

/** How both sides trust each other. Secrets can be typed and are never shown again. */
export function NodeSecurity(fields: NodeSecurityProps) {
  const { setup, errors, change } = fields;
  const isWeb = setup.kind === "dicomweb";
  const usesTls = isWeb ? setup.url.startsWith("https:") : setup.uses_tls;
  return (
    <>
      {isWeb ? <SignInFields {...fields} /> : (
        <Checkbox
          size="xs" label="TLS" checked={setup.uses_tls} error={errors["uses_tls"]}
          onChange={(event) => change({ uses_tls: event.currentTarget.checked })}
        />
      )}
      {usesTls && <CertificateFields {...fields} />}
    </>
  );
}

const SIGN_INS: { value: SignIn; label: string }[] = [
  { value: "none", label: "None" },
  { value: "password", label: "Username and password" },
  { value: "token", label: "Bearer token" },
];

function SignInFields({ node, setup, errors, change }: NodeSecurityProps) {
  const isKept = !forgetsSecrets(node, setup);
  return (
    <>
      <NativeSelect
        size="xs" label="Credentials" data={SIGN_INS} value={setup.sign_in}
        onChange={(event) => change({ sign_in: SIGN_INS.find(({ value }) => value === event.currentTarget.value)?.value ?? "none" })}
      />
      {setup.sign_in === "password" && (
        <div className={styles.pair}>
          <TextInput
            size="xs" label="Username" autoComplete="off" maxLength={150} value={setup.username} error={errors["username"]}
            onChange={(event) => change({ username: event.currentTarget.value })}
          />
          <PasswordInput
            size="xs" label="Password" autoComplete="new-password" value={setup.password} error={errors["password"]}
            placeholder={keptText(isKept && node?.has_password)} onChange={(event) => change({ password: event.currentTarget.value })}
          />
        </div>
      )}
      {setup.sign_in === "token" && (
        <PasswordInput
          size="xs" label="Token" autoComplete="new-password" value={setup.token} error={errors["token"]}
          placeholder={keptText(isKept && node?.has_token)} onChange={(event) => change({ token: event.currentTarget.value })}
        />
      )}
    </>
  );
}

function CertificateFields({ node, setup, errors, change }: NodeSecurityProps) {
  const isKept = !forgetsSecrets(node, setup);
  const pem = (field: "ca_certificates" | "client_certificate" | "client_key", label: string, description: string, placeholder = "") => (
    <Textarea
      size="xs" autosize minRows={2} maxRows={6} label={label} description={description} placeholder={placeholder} spellCheck={false}
      autoComplete="off" value={setup[field]} error={errors[field]} onChange={(event) => change({ [field]: event.currentTarget.value })}
    />
  );
  return (
    <>
      {pem("ca_certificates", "Certificates to trust", "PEM; empty: those that this machine trusts")}
      {pem("client_certificate", "Own certificate", "PEM, where the node asks for one; without it its key is forgotten")}
      {pem("client_key", "Key of the own certificate", "PEM without a password; it is never shown again", keptText(isKept && node?.has_client_key))}
    </>
  );
}

function keptText(isKept: boolean | undefined): string {
  return isKept ? "Kept. Type to replace it." : "";
}
