import { DOCUMENTS, documentUrl, type DocumentName } from "../server/downloads";
import styles from "./version_panel.module.css";

const NAMES: Readonly<Record<DocumentName, string>> = { "report.pdf": "Report (PDF)", "lesions.csv": "Lesions (CSV)", fhir: "FHIR" };

/** What the version can be taken away as; a draft says so in each of them. */
export function VersionDocuments({ annotation, version }: { readonly annotation: string; readonly version: number }) {
  return (
    <div className={styles.documents}>
      {DOCUMENTS.map((name) => (
        <a key={name} href={documentUrl(annotation, name)} download aria-label={`${NAMES[name]} of version ${version}`}>{NAMES[name]}</a>
      ))}
    </div>
  );
}
