import { Button } from "@mantine/core";
import { Link } from "react-router";

import { usePageTitle } from "../components/page_title";
import styles from "./plain_page.module.css";

export function NotFoundPage({ what = "This page" }: { what?: string }) {
  usePageTitle("Not found");
  return (
    <div className={styles.centre} data-testid="not-found">
      <h1>{`${what} does not exist`}</h1>
      <p>The address is wrong, it was removed, or it belongs to a site that you may not see.</p>
      <Button component={Link} to="/" variant="default">Back to the worklist</Button>
    </div>
  );
}
