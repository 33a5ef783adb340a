import { Button, Menu, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback, useHotkeys } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link } from "react-router";

import { BusyButton } from "../components/busy_button";
import { DropZone, type FileChooser } from "../components/drop_zone";
import { countText } from "../components/formats";
import { Icon } from "../components/icons";
import { countsClaimOf } from "../components/lesion_count";
import { Loading } from "../components/loading";
import { useExistingPage, usePageFilter } from "../components/page_filter";
import { PageSteps } from "../components/page_steps";
import { usePageTitle } from "../components/page_title";
import { Problem } from "../components/problem";
import { NextUnreadButton, useNextUnread } from "../components/reading_queue";
import { StateFilter } from "../components/state_filter";
import { COLUMNS, StudyTable } from "../components/study_table";
import { TEACHING_COLUMNS, TeachingRule } from "../components/teaching_columns";
import { isWorklistView, WORKLIST_VIEWS, WorklistViews, type WorklistView } from "../components/worklist_views";
import type { Me, StudyFilter, StudyState } from "../server/types";
import { useLiveWorklist } from "../state/live";
import { studiesQuery, summaryQuery } from "../state/queries";
import { useUploading } from "../state/uploading";
import { useCommandKey } from "../tools/keyboard";
import styles from "./worklist_page.module.css";

const PAGE_SIZE = 50;
const SEARCH_DELAY_MS = 250;
const DEFAULT_ORDERING = "-received_at";

export function WorklistPage({ me }: { me: Me }) {
  usePageTitle("Worklist");
  useLiveWorklist();
  const send = useUploading((uploading) => uploading.send);
  const canUpload = me.actions.includes("study.upload");
  useEffect(() => {
    const idle = setTimeout(() => void import("./study_page"), 1_500);
    return () => clearTimeout(idle);
  }, []);
  const [site, chooseSite] = useState(me.sites[0]?.id ?? null);
  const canRead = me.actions.includes("annotation.edit");
  const canSearch = me.actions.includes("node.search");
  const rights = { canRead, canSearch, actions: me.actions };
  if (!canUpload) return <Worklist chooser={null} siteChoice={null} {...rights} />;
  const siteChoice = me.sites.length > 1 ? <SiteChoice me={me} site={site} onChoose={chooseSite} /> : null;
  return (
    <DropZone onFiles={(files) => void send(files, me.sites.length > 1 ? site : null)}>
      {(chooser) => <Worklist chooser={chooser} siteChoice={siteChoice} {...rights} />}
    </DropZone>
  );
}

interface WorklistProps {
  /** Null for those who may not upload. */
  readonly chooser: FileChooser | null;
  readonly siteChoice: ReactNode;
  readonly canRead: boolean;
  /** Whether remote nodes may be searched. */
  readonly canSearch: boolean;
  readonly actions: Me["actions"];
}

function Worklist({ chooser, siteChoice, canRead, canSearch, actions }: WorklistProps) {
  const { filter, view, change, asked } = useWorklistFilter();
  const studies = useQuery(studiesQuery(filter));
  useExistingPage(asked, studies.error);
  const summary = useQuery(summaryQuery);
  const isFiltered = Boolean(filter.search || filter.state?.length) || view !== "all";
  const count = studies.data?.count ?? 0;

  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>Worklist</h1>
        {summary.data && (
          <span className={styles.totals}>
            {`${countText(summary.data.studies, "study", "studies")}, ${countText(summary.data.patients, "patient")}`}
          </span>
        )}
        <span className={styles.claim}>{`${countsClaimOf(studies.data?.results ?? [])} Research use only.`}</span>
        <SearchField text={filter.search ?? ""} onSearch={(search) => change({ search })} />
        {siteChoice}
        {canRead && <NextUnread />}
        {chooser && <UploadMenu chooser={chooser} canSearch={canSearch} />}
      </div>
      <WorklistViews actions={actions} chosen={view} count={studies.isPlaceholderData ? undefined : studies.data?.count} onChoose={(chosen) => change({ view: chosen === "all" ? "" : chosen, state: "", ordering: "" })} />
      {view === "all" && <StateFilter summary={summary.data} chosen={filter.state?.[0] ?? null} onChoose={(state) => change({ state: state ?? "" })} />}
      {view === "teaching" && <TeachingRule studies={studies.data?.results ?? []} />}
      <div className={styles.list} aria-busy={studies.isFetching}>
        {studies.isPending && <Loading of="studies" className={styles.loader} />}
        {studies.isError && <Problem error={studies.error} onRetry={() => void studies.refetch()} />}
        {studies.data && studies.data.results.length > 0 && (
          <StudyTable
            studies={studies.data.results}
            columns={view === "teaching" ? TEACHING_COLUMNS : COLUMNS}
            ordering={filter.ordering ?? DEFAULT_ORDERING}
            onOrder={(ordering) => change({ ordering })}
          />
        )}
        {studies.data?.results.length === 0 && (isFiltered ? <NothingFound view={view} canSearch={canSearch} isSearched={Boolean(filter.search)} onClear={() => change({ search: "", state: "", view: "" })} /> : <NothingYet chooser={chooser} />)}
      </div>
      {count > PAGE_SIZE && (
        <footer className={styles.foot}>
          <span className="number">{`${countText(count, "study", "studies")} found`}</span>
          <PageSteps count={count} pageSize={PAGE_SIZE} page={filter.page ?? 1} onChange={(page) => change({ page: String(page) })} />
        </footer>
      )}
    </div>
  );
}

/** The next unread study by button and by the key that opens it on the study page too. */
function NextUnread() {
  const next = useNextUnread(null);
  useCommandKey("queue.next", next.open);
  return <NextUnreadButton next={next} />;
}

/** Where uploads go, for those who belong to several sites. */
function SiteChoice({ me, site, onChoose }: { me: Me; site: string | null; onChoose: (site: string) => void }) {
  return (
    <NativeSelect
      size="xs"
      aria-label="Site that uploads go to"
      value={site ?? ""}
      onChange={(event) => onChoose(event.currentTarget.value)}
      data={me.sites.map(({ id, name }) => ({ value: id, label: `Upload to ${name}` }))}
    />
  );
}

function useWorklistFilter() {
  const asked = usePageFilter();
  const { page, read, change } = asked;
  const state = read("state") as StudyState | "";
  const named = read("view");
  const view = isWorklistView(named) ? named : "all";
  const filter: StudyFilter = {
    page,
    page_size: PAGE_SIZE,
    ordering: read("ordering") || WORKLIST_VIEWS[view].ordering || DEFAULT_ORDERING,
    ...(read("search") ? { search: read("search") } : {}),
    ...(state ? { state: [state] } : {}),
    ...WORKLIST_VIEWS[view].filter,
  };
  return { filter, view, change, asked };
}

function SearchField({ text, onSearch }: { text: string; onSearch: (search: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(text);
  const search = useDebouncedCallback(onSearch, SEARCH_DELAY_MS);
  useHotkeys([["/", () => field.current?.focus()]]);
  const [shownText, setShownText] = useState(text);
  if (text !== shownText) {
    setShownText(text);
    if (text === "") setTyped("");
  }
  return (
    <TextInput
      ref={field}
      className={styles.search}
      type="search"
      size="xs"
      aria-label="Search studies"
      placeholder="Name, patient ID, accession, description  ( / )"
      leftSection={<Icon name="search" size={14} />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        search(event.currentTarget.value.trim());
      }}
    />
  );
}

function UploadMenu({ chooser, canSearch }: { chooser: FileChooser; canSearch: boolean }) {
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <Button leftSection={<Icon name="upload" />} data-testid="upload-button">Upload</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Icon name="upload" />} onClick={() => chooser.chooseFiles()}>Files, zip or NIfTI …</Menu.Item>
        <Menu.Item leftSection={<Icon name="folder" />} onClick={() => chooser.chooseFolder()}>Folder …</Menu.Item>
        <Menu.Label>Or drop them anywhere on this page</Menu.Label>
        {canSearch && <Menu.Item component={Link} to="/pacs" leftSection={<Icon name="search" />} data-testid="open-pacs">Search the PACS …</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}

function NothingFound({ view, isSearched, canSearch, onClear }: { view: WorklistView; isSearched: boolean; canSearch: boolean; onClear: () => void }) {
  return (
    <div className={styles.empty} data-testid="worklist-nothing">
      <h2>{isSearched || view === "all" ? "No study matches" : `${WORKLIST_VIEWS[view].label}: nothing left`}</h2>
      <p>{isSearched ? "Search looks at patient name, patient ID, accession number and description." : WORKLIST_VIEWS[view].meaning}</p>
      <BusyButton variant="default" onClick={onClear}>Show all studies</BusyButton>
      {canSearch && isSearched && <Button component={Link} to="/pacs" variant="default">Search the PACS</Button>}
    </div>
  );
}

function NothingYet({ chooser }: { chooser: FileChooser | null }) {
  return (
    <div className={styles.empty} data-testid="worklist-empty">
      <span className={styles.emptyIcon}><Icon name="upload" size={28} /></span>
      <h2>No studies yet</h2>
      {chooser ? (
        <>
          <p>
            Drop a brain MRI with a FLAIR series anywhere on this page: DICOM files, a folder, a zip archive, or a NIfTI
            file. Plaques are marked within seconds and the study appears here.
          </p>
          <div className={styles.emptyActions}>
            <Button onClick={() => chooser.chooseFiles()}>Choose files</Button>
            <Button variant="default" onClick={() => chooser.chooseFolder()}>Choose a folder</Button>
          </div>
        </>
      ) : (
        <p>Studies appear here as soon as they are received.</p>
      )}
    </div>
  );
}
