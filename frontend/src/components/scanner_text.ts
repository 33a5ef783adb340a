/** A scanner as its files name it. */
export function scannerText({ manufacturer, scanner_model: model }: { manufacturer: string; scanner_model: string }): string {
  return [manufacturer, model].filter(Boolean).join(" ") || "Scanner not named";
}
