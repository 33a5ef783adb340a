import "@fontsource-variable/inter";
import "@mantine/core/styles.css";

import "./components/theme.css";

import { askFirstView } from "./state/first_view";

const [, page, studyId] = window.location.pathname.split("/");

/**
 * On a study's address the viewer and the first slice are asked for at once, not one after the other, and before the page
 * itself. The slice is three answers away and a script one, so what leads to it is asked for first: in a task of its own,
 * since a request leaves only when the task that made it ends.
 */
if (page === "studies" && studyId) {
  const viewer = new Promise((resolve) => setTimeout(resolve)).then(async () => {
    void import("./start");
    void import("./pages/study_page");
    return import("./viewport/reading_view");
  });
  askFirstView(studyId, viewer).catch(() => null); // The page asks again, and tells what is wrong.
} else {
  void import("./start");
}
