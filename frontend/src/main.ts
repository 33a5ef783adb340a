import "@fontsource-variable/inter";
import "@mantine/core/styles.css";

import "./components/theme.css";

import { askFirstView } from "./state/first_view";

/** On a study's address the viewer and the first slice are asked for at once, not one after the other, and before the page itself. */
const [, page, studyId] = window.location.pathname.split("/");
if (page === "studies" && studyId) {
  askFirstView(studyId).catch(() => null); // The page asks again, and tells what is wrong.
  void import("./pages/study_page");
  void import("./viewport/reading_view");
}
void import("./start");
