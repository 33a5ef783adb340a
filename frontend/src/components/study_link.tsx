import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { studiesQuery } from "../state/queries";
import { dateText, nameText } from "./formats";

/** As many as one page of the server's list holds. */
const NEWEST = { page: 1, page_size: 200 } as const;

/** A study by its patient and day where it is one of the newest, all of which are asked for at once. */
export function StudyLink({ study }: { study: string }) {
  const found = useQuery(studiesQuery(NEWEST)).data?.results.find(({ id }) => id === study);
  return <Link to={`/studies/${study}`}>{found ? `${nameText(found.patient.name)}, ${dateText(found.study_date)}` : "Open"}</Link>;
}
