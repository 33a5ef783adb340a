import { Button, MantineProvider } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { QueryClientProvider, useMutation, useQuery } from "@tanstack/react-query";
import { Component, lazy, Suspense, useEffect, type ReactNode } from "react";
import { BrowserRouter, Navigate, Route, Routes, useLocation, useNavigate } from "react-router";

import { AppFrame } from "./components/app_frame";
import { BusyButton } from "./components/busy_button";
import { Loading } from "./components/loading";
import { detailOf, Notice, Problem } from "./components/problem";
import { theme } from "./components/theme";
import { UploadDock } from "./components/upload_dock";
import { NotFoundPage } from "./pages/not_found_page";
import { SetPasswordPage } from "./pages/set_password_page";
import { SignInPage } from "./pages/sign_in_page";
import { WorklistPage } from "./pages/worklist_page";
import { ProblemError } from "./server/problem";
import { signOut } from "./server/session";
import type { Me } from "./server/types";
import { schemeOf, useAppearance } from "./state/appearance";
import { feed } from "./state/live";
import { useKeptKeys } from "./state/preferences";
import { meQuery, queryClient } from "./state/queries";
import { forgetReader } from "./state/sign_out";

const StudyPage = lazy(async () => ({ default: (await import("./pages/study_page")).StudyPage }));
const PatientPage = lazy(async () => ({ default: (await import("./pages/patient_page")).PatientPage }));
const ModelsPage = lazy(async () => ({ default: (await import("./pages/models_page")).ModelsPage }));
const KeysPage = lazy(async () => ({ default: (await import("./pages/keys_page")).KeysPage }));
const DoubleReadingsPage = lazy(async () => ({ default: (await import("./pages/double_readings_page")).DoubleReadingsPage }));
const NodesPage = lazy(async () => ({ default: (await import("./pages/nodes_page")).NodesPage }));
const UsersPage = lazy(async () => ({ default: (await import("./pages/users_page")).UsersPage }));
const AuditPage = lazy(async () => ({ default: (await import("./pages/audit_page")).AuditPage }));
const WebhooksPage = lazy(async () => ({ default: (await import("./pages/webhooks_page")).WebhooksPage }));
const PacsPage = lazy(async () => ({ default: (await import("./pages/pacs_page")).PacsPage }));
const TransfersPage = lazy(async () => ({ default: (await import("./pages/transfers_page")).TransfersPage }));
const RunPage = lazy(async () => ({ default: (await import("./pages/run_page")).RunPage }));
const TrainingPage = lazy(async () => ({ default: (await import("./pages/training_page")).TrainingPage }));
const RerunsPage = lazy(async () => ({ default: (await import("./pages/reruns_page")).RerunsPage }));
const SchedulesPage = lazy(async () => ({ default: (await import("./pages/schedules_page")).SchedulesPage }));
const WorkersPage = lazy(async () => ({ default: (await import("./pages/workers_page")).WorkersPage }));
const MonitoringPage = lazy(async () => ({ default: (await import("./pages/monitoring_page")).MonitoringPage }));
const AccountPage = lazy(async () => ({ default: (await import("./pages/account_page")).AccountPage }));
const CohortPage = lazy(async () => ({ default: (await import("./pages/cohort_page")).CohortPage }));
const JobsPage = lazy(async () => ({ default: (await import("./pages/jobs_page")).JobsPage }));

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <BrowserRouter>
        <Appearance>
          <FaultBoundary>
            <Routes>
              <Route path="/sign-in" element={<SignInPage />} />
              <Route path="/set-password" element={<SetPasswordPage />} />
              <Route path="*" element={<SignedIn />} />
            </Routes>
          </FaultBoundary>
        </Appearance>
      </BrowserRouter>
    </QueryClientProvider>
  );
}

function Appearance({ children }: { children: ReactNode }) {
  const { pathname } = useLocation();
  const appearance = useAppearance((state) => state.appearance);
  const isSystemDark = useMediaQuery("(prefers-color-scheme: dark)", window.matchMedia("(prefers-color-scheme: dark)").matches);
  const scheme = schemeOf(appearance, isSystemDark, pathname.startsWith("/studies/"));
  return (
    <MantineProvider theme={theme} forceColorScheme={scheme} withCssVariables={false} withGlobalClasses={false}>
      {children}
    </MantineProvider>
  );
}

/** The pages of somebody who is signed in; anybody else is sent to sign in and comes back. */
function SignedIn() {
  const me = useQuery(meQuery);
  const location = useLocation();
  const feedUrl = me.data?.feed_url;
  useEffect(() => {
    if (feedUrl) feed.connect(feedUrl);
  }, [feedUrl]);

  if (me.error instanceof ProblemError && me.error.status === 401) {
    return <Navigate to={`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`} replace />;
  }
  if (!me.data && me.error) return <Centre><Problem error={me.error} onRetry={() => void me.refetch()} /></Centre>;
  if (!me.data) return <Centre><Loading of="page" /></Centre>;
  return <Pages me={me.data} />;
}

function Pages({ me }: { me: Me }) {
  useKeptKeys();
  const navigate = useNavigate();
  const leaving = useMutation({
    mutationFn: signOut,
    onSuccess: async () => {
      forgetReader();
      await navigate("/sign-in", { replace: true });
    },
  });
  return (
    <AppFrame me={me} onSignOut={() => leaving.mutate()}>
      {leaving.error && (
        <Notice tone="alert" icon="warning" title="You are still signed in">
          <p>{detailOf(leaving.error)}</p>
          <BusyButton variant="default" onClick={() => leaving.mutate()}>Sign out again</BusyButton>
        </Notice>
      )}
      <Suspense fallback={<Centre><Loading of="page" /></Centre>}>
        <Routes>
          <Route path="/account" element={<AccountPage me={me} />} />
          {me.needs_second_factor ? <Route path="*" element={<Navigate to="/account" replace />} /> : (
            <>
              <Route path="/" element={<WorklistPage me={me} />} />
              <Route path="/studies/:id" element={<StudyPage me={me} />} />
              <Route path="/patients/:id" element={<PatientPage me={me} />} />
              <Route path="/models" element={<ModelsPage me={me} />} />
              <Route path="/training" element={<TrainingPage me={me} />} />
              <Route path="/training/runs/:id" element={<RunPage />} />
              <Route path="/reruns" element={<RerunsPage me={me} />} />
              <Route path="/schedules" element={<SchedulesPage me={me} />} />
              <Route path="/monitoring" element={<MonitoringPage />} />
              <Route path="/cohort" element={<CohortPage me={me} />} />
              <Route path="/workers" element={<WorkersPage />} />
              <Route path="/jobs" element={<JobsPage me={me} />} />
              <Route path="/keys" element={<KeysPage />} />
              <Route path="/double-readings" element={<DoubleReadingsPage me={me} />} />
              <Route path="/nodes" element={<NodesPage me={me} />} />
              <Route path="/users" element={<UsersPage me={me} />} />
              <Route path="/audit" element={<AuditPage me={me} />} />
              <Route path="/webhooks" element={<WebhooksPage me={me} />} />
              <Route path="/pacs" element={<PacsPage me={me} />} />
              <Route path="/transfers" element={<TransfersPage me={me} />} />
              <Route path="*" element={<NotFoundPage />} />
            </>
          )}
        </Routes>
      </Suspense>
      <UploadDock />
    </AppFrame>
  );
}

function Centre({ children }: { children: ReactNode }) {
  return <div className="centre">{children}</div>;
}

/** A fault of the page itself is told in words instead of a white page. */
class FaultBoundary extends Component<{ children: ReactNode }, { fault: Error | null }> {
  override state = { fault: null as Error | null };

  static getDerivedStateFromError(fault: Error) {
    return { fault };
  }

  override render() {
    const { fault } = this.state;
    if (!fault) return this.props.children;
    return (
      <Centre>
        <Notice tone="alert" icon="warning" title="This page failed">
          <p>{fault.message}</p>
          <Button variant="default" onClick={() => window.location.reload()}>Reload the page</Button>
        </Notice>
      </Centre>
    );
  }
}
