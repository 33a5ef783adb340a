import "@fontsource-variable/inter";
import "@mantine/core/styles.css";

import "./components/theme.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app";
import { queryClient, studyQuery } from "./state/queries";

/** On a study's address the viewer and the study are asked for at once, not one after the other. */
const [, page, studyId] = window.location.pathname.split("/");
if (page === "studies" && studyId) {
  void import("./pages/study_page");
  void queryClient.prefetchQuery(studyQuery(studyId));
}

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element #root.");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
